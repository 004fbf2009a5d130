/**
 * A cohort may have a set of labels of its own: a JSON list of findings, beside the scheme "own".
 * Runs, readings and weights follow from a cohort's labels, so that they stay as they were made.
 */
export const ownLabels = `
ALTER TABLE cohort ADD COLUMN own_findings TEXT;
CREATE TRIGGER cohort_labels_stay BEFORE UPDATE OF scheme, own_findings ON cohort BEGIN
  SELECT RAISE (ABORT, 'the labels of a cohort cannot be changed');
END;
`;
