/**
 * The ledger takes entries that belong to the cohort and not to a run: the budget cap, releases on
 * held-out patients, and what later versions add. Which kinds there are, the code says.
 */
export const ledgerKinds = `
CREATE TABLE ledger_entry_2 (
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  sequence INTEGER NOT NULL CHECK (sequence >= 1),
  recorded_at TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind <> ''),
  run_id TEXT REFERENCES run (id),
  body TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (cohort_id, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_entry_2 SELECT * FROM ledger_entry;
DROP TABLE ledger_entry;
ALTER TABLE ledger_entry_2 RENAME TO ledger_entry;
CREATE INDEX ledger_entry_by_run ON ledger_entry (run_id, kind);
CREATE TRIGGER ledger_is_append_only_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_append_only_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
`;
