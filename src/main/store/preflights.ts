import type { Preflight } from "../../shared/preflight.ts";
import { now, type Database } from "./database.ts";

/** Keeps what the check before a start of a run measured. */
export function recordPreflight(database: Database, runId: string, result: Preflight): void {
  database
    .prepare("INSERT INTO preflight (run_id, recorded_at, body) VALUES (?, ?, ?)")
    .run(runId, now(), JSON.stringify(result));
}
