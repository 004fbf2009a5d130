/** What the check before each start of a private run measured. */
export const preflight = `
CREATE TABLE preflight (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES run (id),
  recorded_at TEXT NOT NULL,
  -- JSON: src/shared/preflight.ts.
  body TEXT NOT NULL
) STRICT;
CREATE INDEX preflight_by_run ON preflight (run_id);
`;
