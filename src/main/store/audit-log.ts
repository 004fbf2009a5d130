import { now, type Database } from "./database.ts";

/** Notes an act that an officer may ask about later. The detail holds no patient's identity. */
export function recordAudit(
  database: Database,
  action: string,
  detail: Readonly<Record<string, unknown>>,
): void {
  database
    .prepare("INSERT INTO audit_log (recorded_at, action, detail) VALUES (?, ?, ?)")
    .run(now(), action, JSON.stringify(detail));
}
