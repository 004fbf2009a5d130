/** Free subgroups count as a change of a cohort's films, and what was counted without them goes. */
const bump = (row: "NEW" | "OLD"): string => `
  INSERT INTO film_revision (cohort_id, revision)
    VALUES ((SELECT cohort_id FROM image WHERE id = ${row}.image_id), 1)
  ON CONFLICT (cohort_id) DO UPDATE SET revision = revision + 1;`;

export const subgroups = `
${(
  [
    ["INSERT", "NEW"],
    ["UPDATE", "NEW"],
    ["DELETE", "OLD"],
  ] as const
)
  .map(
    ([event, row]) => `
CREATE TRIGGER film_revision_image_subgroup_${event.toLowerCase()} AFTER ${event} ON image_subgroup
BEGIN ${bump(row)} END;`,
  )
  .join("")}
DELETE FROM film_count;
-- They hold no free subgroups and no co-morbidity; they are computed again when they are opened.
DELETE FROM comparison;
`;
