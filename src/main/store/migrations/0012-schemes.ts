/** The set of labels that a cohort has (shared/findings.ts); cohorts of before have the study's. */
export const schemes = `
ALTER TABLE cohort ADD COLUMN scheme TEXT NOT NULL DEFAULT 'sided'
  CHECK (scheme IN ('sided', 'unsided'));
`;
