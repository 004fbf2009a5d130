/** Canaries of audited runs, and what an audit found. */
export const audit = `
-- One row for each run with canaries, written with the run, before its first step.
CREATE TABLE canary_draw (
  run_id TEXT PRIMARY KEY REFERENCES run (id),
  -- Names the films of the canaries, so that they can be made again.
  seed TEXT NOT NULL,
  recorded_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE canary (
  run_id TEXT NOT NULL REFERENCES canary_draw (run_id),
  canary INTEGER NOT NULL CHECK (canary >= 0),
  -- The coin: whether it is in the training data.
  included INTEGER NOT NULL CHECK (included IN (0, 1)),
  -- Null until the run has scored its canaries. Higher: more likely in the training data.
  score REAL,
  PRIMARY KEY (run_id, canary)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER canary_coin_stays_update BEFORE UPDATE OF run_id, canary, included ON canary
BEGIN SELECT RAISE (ABORT, 'the coin of a canary is not tossed again'); END;
CREATE TRIGGER canary_coin_stays_delete BEFORE DELETE ON canary
BEGIN SELECT RAISE (ABORT, 'the coin of a canary is not tossed again'); END;

CREATE TABLE audit (
  run_id TEXT PRIMARY KEY REFERENCES run (id),
  body TEXT NOT NULL,
  recorded_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
