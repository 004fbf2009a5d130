import { createHash } from "node:crypto";
import type { AuditResult } from "../../shared/audit.ts";
import { now, transaction, type Database } from "./database.ts";

/** The canaries of a run as stored. */
export interface StoredCanaries {
  readonly seed: string;
  /** The coins: whether each canary is in the training data. */
  readonly included: readonly boolean[];
  /** The score of each; null until the run has scored them. */
  readonly scores: readonly number[] | null;
}

/** Writes the coins of a run, once, before it starts. */
export function insertCanaries(
  database: Database,
  runId: string,
  draw: Pick<StoredCanaries, "seed" | "included">,
): void {
  transaction(database, () => {
    database
      .prepare("INSERT INTO canary_draw (run_id, seed, recorded_at) VALUES (?, ?, ?)")
      .run(runId, draw.seed, now());
    const insert = database.prepare(
      "INSERT INTO canary (run_id, canary, included) VALUES (?, ?, ?)",
    );
    draw.included.forEach((included, canary) => insert.run(runId, canary, included ? 1 : 0));
  });
}

/** The canaries of a run; null where it has none. */
export function canariesOfRun(database: Database, runId: string): StoredCanaries | null {
  const seed = database
    .prepare("SELECT seed FROM canary_draw WHERE run_id = ?")
    .pluck()
    .get(runId) as string | undefined;
  if (seed === undefined) return null;
  const rows = database
    .prepare("SELECT included, score FROM canary WHERE run_id = ? ORDER BY canary")
    .all(runId) as { included: number; score: number | null }[];
  const scores = rows.flatMap(({ score }) => (score === null ? [] : [score]));
  return {
    seed,
    included: rows.map(({ included }) => included === 1),
    scores: scores.length === rows.length ? scores : null,
  };
}

/** Keeps the scores of a run's canaries; a resumed run's replace those of before. */
export function recordCanaryScores(
  database: Database,
  runId: string,
  scores: ArrayLike<number>,
): void {
  const update = database.prepare("UPDATE canary SET score = ? WHERE run_id = ? AND canary = ?");
  transaction(database, () => {
    for (let canary = 0; canary < scores.length; canary += 1) {
      update.run(scores[canary] ?? null, runId, canary);
    }
  });
}

/**
 * A digest of the coins for the ledger, written before the first step: nobody can choose other
 * coins afterwards. The seed's 128 random bits keep the coins from being guessed from it.
 */
export function canaryCommitment(draw: Pick<StoredCanaries, "seed" | "included">): string {
  const coins = draw.included.map((included) => (included ? "1" : "0")).join("");
  return createHash("sha256").update(`canaries 1 ${draw.seed} ${coins}`).digest("hex");
}

/** Keeps what an audit of a run found, in place of an earlier one. */
export function keepAudit(database: Database, audit: AuditResult): void {
  database
    .prepare(
      `INSERT INTO audit (run_id, body, recorded_at) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body, recorded_at = excluded.recorded_at`,
    )
    .run(audit.runId, JSON.stringify(audit), now());
}

/** The newest audit of a run; null where there was none. */
export function keptAudit(database: Database, runId: string): AuditResult | null {
  const body = database.prepare("SELECT body FROM audit WHERE run_id = ?").pluck().get(runId) as
    string | undefined;
  return body === undefined ? null : (JSON.parse(body) as AuditResult);
}
