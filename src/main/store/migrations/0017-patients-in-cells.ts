/**
 * Statistics are given from five patients on, and no longer from five images: comparisons are forgotten
 * and made anew when they are next asked for.
 */
export const patientsInCells = `
DELETE FROM comparison;
`;
