/** The first schema: cohorts and their images, labels, runs, journal, ledger, comparisons. */
export const first = `
CREATE TABLE cohort (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  frame_pixels INTEGER NOT NULL CHECK (frame_pixels BETWEEN 16 AND 1024),
  pixel_pipeline TEXT NOT NULL,
  positive_at_grade INTEGER NOT NULL CHECK (positive_at_grade BETWEEN 1 AND 4),
  -- The one delta of the cohort's ledger, set by its first private run.
  delta REAL CHECK (delta > 0 AND delta < 1)
) STRICT;

CREATE TABLE patient (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  -- Keyed HMAC of the identifier in the files; never the identifier itself.
  pseudonym TEXT NOT NULL,
  sex TEXT CHECK (sex IN ('F', 'M', 'O')),
  UNIQUE (cohort_id, pseudonym)
) STRICT;

CREATE TABLE study (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  pseudonym TEXT NOT NULL,
  -- Shifted by a secret number of days that is the same for all studies of a patient.
  shifted_date TEXT,
  UNIQUE (patient_id, pseudonym)
) STRICT;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study (id),
  pseudonym TEXT NOT NULL,
  modality TEXT,
  manufacturer TEXT,
  UNIQUE (study_id, pseudonym)
) STRICT;

CREATE TABLE image (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  series_id INTEGER NOT NULL REFERENCES series (id),
  instance_pseudonym TEXT NOT NULL,
  -- A digest of the stored values (dicom/content-hash.ts), to find the same film under another identifier.
  content_hash TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('included', 'set-aside')),
  status_reason TEXT,
  view_position TEXT,
  photometric_interpretation TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  pixel_rows INTEGER NOT NULL,
  pixel_columns INTEGER NOT NULL,
  bits_stored INTEGER NOT NULL,
  age_years REAL,
  -- The training frame in the image cache: a fixed-size 8-bit square.
  frame_shard TEXT NOT NULL,
  frame_position INTEGER NOT NULL,
  frame_bytes INTEGER NOT NULL,
  frame_checksum INTEGER NOT NULL,
  imported_at TEXT NOT NULL,
  UNIQUE (cohort_id, instance_pseudonym)
) STRICT;
CREATE INDEX image_by_patient ON image (patient_id);
CREATE INDEX image_by_content ON image (cohort_id, content_hash);
CREATE INDEX image_by_status ON image (cohort_id, status);

-- One row for each file that intake has finished with. The path is sealed with the site key,
-- since folder and file names often carry names and identifiers.
CREATE TABLE source_file (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  path_key TEXT NOT NULL,
  path_sealed BLOB NOT NULL,
  -- Keyed hash of the bare file name, by which a labels file may refer to it.
  name_key TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_milliseconds REAL NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('imported', 'duplicate', 'quarantined')),
  reason_code TEXT,
  reason TEXT,
  image_id INTEGER REFERENCES image (id),
  recorded_at TEXT NOT NULL,
  UNIQUE (cohort_id, path_key)
) STRICT;
CREATE INDEX source_file_by_outcome ON source_file (cohort_id, outcome);
CREATE INDEX source_file_by_name ON source_file (cohort_id, name_key);
CREATE INDEX source_file_by_image ON source_file (image_id);

CREATE TABLE attribute (
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  name TEXT NOT NULL,
  value REAL NOT NULL,
  source TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (patient_id, name)
) STRICT, WITHOUT ROWID;

-- One reader's labels of one image. Append-only: a correction is another reading.
CREATE TABLE reading (
  id INTEGER PRIMARY KEY,
  image_id INTEGER NOT NULL REFERENCES image (id),
  reader TEXT NOT NULL,
  source TEXT NOT NULL,
  -- Grades by finding key, as JSON; null where the reader gave none.
  grades TEXT NOT NULL,
  recorded_at TEXT NOT NULL
) STRICT;
CREATE INDEX reading_by_image ON reading (image_id);
CREATE TRIGGER reading_is_append_only_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE (ABORT, 'readings are append-only'); END;
CREATE TRIGGER reading_is_append_only_delete BEFORE DELETE ON reading
BEGIN SELECT RAISE (ABORT, 'readings are append-only'); END;

-- What training and evaluation take as the truth: one grade for each image and finding.
CREATE TABLE consensus (
  image_id INTEGER NOT NULL REFERENCES image (id),
  finding TEXT NOT NULL,
  grade INTEGER NOT NULL CHECK (grade BETWEEN 0 AND 4),
  reading_id INTEGER NOT NULL REFERENCES reading (id),
  PRIMARY KEY (image_id, finding)
) STRICT, WITHOUT ROWID;
CREATE INDEX consensus_by_finding ON consensus (finding, grade);

CREATE TABLE split (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  created_at TEXT NOT NULL,
  train_fraction REAL NOT NULL,
  validation_fraction REAL NOT NULL,
  test_fraction REAL NOT NULL,
  -- Set by the first run that reads it; from then on the split does not change.
  locked_at TEXT
) STRICT;
CREATE TABLE split_member (
  split_id INTEGER NOT NULL REFERENCES split (id),
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  part TEXT NOT NULL CHECK (part IN ('train', 'validation', 'test')),
  PRIMARY KEY (split_id, patient_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX split_member_by_patient ON split_member (patient_id);

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  split_id INTEGER NOT NULL REFERENCES split (id),
  kind TEXT NOT NULL CHECK (kind IN ('private', 'reference')),
  pair_id TEXT REFERENCES run (id) DEFERRABLE INITIALLY DEFERRED,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'stopped', 'failed', 'finished')),
  message TEXT,
  plan TEXT NOT NULL,
  engine TEXT,
  device TEXT,
  weights_file TEXT,
  weights_sha256 TEXT,
  stop_requested INTEGER NOT NULL DEFAULT 0,
  -- The process that runs it, so that another can tell whether it is still alive.
  owner_process INTEGER,
  owner_heartbeat_at TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  ended_at TEXT
) STRICT;
CREATE INDEX run_by_cohort ON run (cohort_id);

-- A step counts as spent from the moment its row is committed, which is before its noise is
-- drawn. Each row's hash covers the row before it, from the run's ledger entry onwards.
CREATE TABLE step_journal (
  run_id TEXT NOT NULL REFERENCES run (id),
  step INTEGER NOT NULL CHECK (step >= 1),
  recorded_at TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
  run_id TEXT NOT NULL REFERENCES run (id),
  step INTEGER NOT NULL,
  loss REAL NOT NULL,
  clipped_share REAL,
  epsilon REAL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  run_id TEXT NOT NULL REFERENCES run (id),
  step INTEGER NOT NULL,
  file TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction (
  run_id TEXT NOT NULL REFERENCES run (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  part TEXT NOT NULL CHECK (part IN ('validation', 'test')),
  -- Probabilities in the order of the findings, little-endian float32.
  scores BLOB NOT NULL,
  PRIMARY KEY (run_id, image_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE comparison (
  private_run_id TEXT NOT NULL,
  reference_run_id TEXT NOT NULL,
  body TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (private_run_id, reference_run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_entry (
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  sequence INTEGER NOT NULL CHECK (sequence >= 1),
  recorded_at TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('run-planned', 'run-ended')),
  run_id TEXT NOT NULL REFERENCES run (id),
  body TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (cohort_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER ledger_is_append_only_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_append_only_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER journal_is_append_only_update BEFORE UPDATE ON step_journal
BEGIN SELECT RAISE (ABORT, 'the step journal is append-only'); END;
CREATE TRIGGER journal_is_append_only_delete BEFORE DELETE ON step_journal
BEGIN SELECT RAISE (ABORT, 'the step journal is append-only'); END;

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY,
  recorded_at TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
`;
