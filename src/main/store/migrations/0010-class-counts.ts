/**
 * The label counts behind a run's class weights: with noise in a private run, exact in a reference
 * run without a private twin. Written once; a run that goes on takes the same.
 */
export const classCounts = `
CREATE TABLE class_counts (
  run_id TEXT PRIMARY KEY REFERENCES run (id),
  recorded_at TEXT NOT NULL,
  -- Scale of the noise on each count; 0 where they are exact.
  noise_scale INTEGER NOT NULL CHECK (noise_scale >= 0),
  -- JSON: {"positive": [...], "negative": [...]}, one number for each label.
  body TEXT NOT NULL
) STRICT;
CREATE TRIGGER class_counts_stay_update BEFORE UPDATE ON class_counts BEGIN
  SELECT raise(ABORT, 'class counts are not drawn again');
END;
CREATE TRIGGER class_counts_stay_delete BEFORE DELETE ON class_counts BEGIN
  SELECT raise(ABORT, 'class counts are not drawn again');
END;
`;
