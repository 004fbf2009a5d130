/** Review of burned-in text, reasons of set-aside films, issuers, the re-identification table. */
export const films = `
-- Equal Patient IDs of two issuers are two patients; cohorts of before keep their pseudonyms.
ALTER TABLE cohort ADD COLUMN issuer_in_pseudonym INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cohort ADD COLUMN review_policy TEXT NOT NULL DEFAULT 'none'
  CHECK (review_policy IN ('none', 'flagged', 'all'));
-- The pseudonym of the identifier without its issuer, by which tables name patients.
ALTER TABLE patient ADD COLUMN identifier_key TEXT;
CREATE INDEX patient_by_identifier ON patient (cohort_id, identifier_key);

ALTER TABLE image ADD COLUMN aside_code TEXT;
-- Rules leave alone what a person has decided.
ALTER TABLE image ADD COLUMN decided_by_person INTEGER NOT NULL DEFAULT 0;
-- Of the exposure within its day, moved by a secret amount that is the same for a patient.
ALTER TABLE image ADD COLUMN shifted_second INTEGER;
ALTER TABLE image ADD COLUMN review_flag TEXT
  CHECK (review_flag IN ('declared', 'secondary-capture', 'lettering'));
ALTER TABLE image ADD COLUMN review_state TEXT NOT NULL DEFAULT 'open'
  CHECK (review_state IN ('open', 'accepted', 'blackened'));
-- Rectangles of the film as JSON: where lettering was found, and what is blackened.
ALTER TABLE image ADD COLUMN lettering TEXT;
ALTER TABLE image ADD COLUMN blackened TEXT;
CREATE INDEX image_by_review ON image (cohort_id, review_state, review_flag);
CREATE INDEX image_by_aside ON image (cohort_id, aside_code) WHERE aside_code IS NOT NULL;
UPDATE image SET review_flag = 'declared'
  WHERE status_reason LIKE '%declares text burned into the image%';
UPDATE image SET aside_code = CASE
    WHEN status_reason LIKE 'A lateral film%' THEN 'lateral'
    WHEN status_reason LIKE 'Neither a frontal%' THEN 'view'
    WHEN status_reason LIKE 'Not a chest film%' THEN 'body-part'
    WHEN status_reason LIKE 'Raw detector data%' THEN 'for-processing'
    WHEN status_reason LIKE 'A colour image%' THEN 'colour'
    WHEN status_reason LIKE 'A file of % frames%' THEN 'frames'
    ELSE 'by-hand' END
  WHERE status = 'set-aside';
UPDATE image SET decided_by_person = 1 WHERE aside_code = 'by-hand';

-- Each decision about burned-in text, by whom and when. Append-only: undoing is another row.
CREATE TABLE image_review (
  id INTEGER PRIMARY KEY,
  image_id INTEGER NOT NULL REFERENCES image (id),
  decision TEXT NOT NULL CHECK (decision IN ('accept', 'blackout', 'set-aside', 'undo')),
  regions TEXT NOT NULL,
  -- What stood before, so that it can be undone.
  before TEXT NOT NULL,
  reader TEXT NOT NULL,
  recorded_at TEXT NOT NULL
) STRICT;
CREATE INDEX image_review_by_image ON image_review (image_id);
CREATE TRIGGER image_review_is_append_only_update BEFORE UPDATE ON image_review
BEGIN SELECT RAISE (ABORT, 'reviews are append-only'); END;
CREATE TRIGGER image_review_is_append_only_delete BEFORE DELETE ON image_review
BEGIN SELECT RAISE (ABORT, 'reviews are append-only'); END;

-- Frames that no row names any more and that are still to be overwritten on the disk.
CREATE TABLE frame_erasure (
  shard TEXT NOT NULL,
  position INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  PRIMARY KEY (shard, position)
) STRICT, WITHOUT ROWID;

-- Changes of status for many films at once, with what stood before, so that they can be undone.
CREATE TABLE status_change (
  id INTEGER PRIMARY KEY,
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  before TEXT NOT NULL,
  undone_at TEXT,
  recorded_at TEXT NOT NULL
) STRICT;

-- Only where the site turns it on: original identifiers, sealed to a key that a passphrase opens.
CREATE TABLE reidentification_key (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  public_key BLOB NOT NULL,
  private_key_sealed BLOB NOT NULL,
  salt BLOB NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE reidentification (
  kind TEXT NOT NULL CHECK (kind IN ('patient', 'study')),
  pseudonym TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (kind, pseudonym)
) STRICT, WITHOUT ROWID;
`;
