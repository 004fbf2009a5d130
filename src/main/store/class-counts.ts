import { now, type Database } from "./database.ts";

/** The label counts behind a run's class weights. */
export interface StoredClassCounts {
  /** [labels] each: units with the finding, and units known to be without it. */
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  /** Scale of the noise on each count; 0 where they are exact. */
  readonly noiseScale: number;
}

/** The counts that a run has drawn; null where it has none. */
export function classCountsOfRun(database: Database, runId: string): StoredClassCounts | null {
  const row = database
    .prepare("SELECT noise_scale AS noiseScale, body FROM class_counts WHERE run_id = ?")
    .get(runId) as { noiseScale: number; body: string } | undefined;
  if (row === undefined) return null;
  const body = JSON.parse(row.body) as Omit<StoredClassCounts, "noiseScale">;
  return { ...body, noiseScale: row.noiseScale };
}

/** Keeps a run's counts, once. */
export function keepClassCounts(
  database: Database,
  runId: string,
  { positive, negative, noiseScale }: StoredClassCounts,
): void {
  database
    .prepare(
      "INSERT INTO class_counts (run_id, recorded_at, noise_scale, body) VALUES (?, ?, ?, ?)",
    )
    .run(runId, now(), noiseScale, JSON.stringify({ positive, negative }));
}
