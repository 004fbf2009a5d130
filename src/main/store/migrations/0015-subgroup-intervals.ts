/** Comparisons of before hold no interval of a subgroup's accuracy; they are computed again. */
export const subgroupIntervals = `
DELETE FROM comparison;
`;
