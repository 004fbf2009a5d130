/** Contributions that a run left out because their gradient was not finite. */
export const leftOut = `
ALTER TABLE metric ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0 CHECK (left_out >= 0);
`;
