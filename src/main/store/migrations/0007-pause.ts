/** Runs that are paused: stopped so as to be gone on with. */
export const pause = `
ALTER TABLE run ADD COLUMN pause_requested INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
-- What of a weights file a run started from, JSON; null where it started from nothing.
ALTER TABLE run ADD COLUMN weights_report TEXT;
`;
