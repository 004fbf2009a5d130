/** Cohorts may have further sets of labels: which there are, shared/finding-schemes.ts says. */
export const labelSets = `
ALTER TABLE cohort ADD COLUMN label_set TEXT NOT NULL DEFAULT 'sided';
UPDATE cohort SET label_set = scheme;
ALTER TABLE cohort DROP COLUMN scheme;
ALTER TABLE cohort RENAME COLUMN label_set TO scheme;
`;
