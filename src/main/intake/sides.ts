import {
  keysOf,
  sidesOf,
  type FindingKey,
  type Grade,
  type Scheme,
} from "../../shared/findings.ts";

type Said = Readonly<Partial<Record<FindingKey, Grade>>>;

/**
 * What a row says in a cohort's set of labels. A finding without a side is what the row says of it
 * as such, else what it says of the two sides: the higher grade, but not "negative" from one side
 * alone. A scheme with sides never takes a finding that has none.
 */
export function gradesInScheme(
  said: Said,
  scheme: Scheme,
  positiveAtGrade: number,
): Readonly<Record<FindingKey, Grade>> {
  const found: Record<FindingKey, Grade> = {};
  for (const key of keysOf(scheme)) {
    const grade = said[key] ?? gradeOfSides(said, key, positiveAtGrade);
    if (grade !== null) found[key] = grade;
  }
  return found;
}

function gradeOfSides(said: Said, key: FindingKey, positiveAtGrade: number): Grade | null {
  const sides = sidesOf(key);
  if (sides === null) return null;
  const [right, left] = sides.map((side) => said[side] ?? null);
  const highest = Math.max(right ?? -1, left ?? -1);
  const known = right != null && left != null;
  return known || highest >= positiveAtGrade ? (highest as Grade) : null;
}
