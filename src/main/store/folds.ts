import { formatCounted } from "../../shared/format.ts";
import { randomInt } from "node:crypto";
import type { SplitPart } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import type { Database } from "./database.ts";
import { groupsSharingContent } from "./shared-films.ts";

/** A part of the split for each patient, and what each part came to. */
export interface FoldAssignment {
  readonly parts: ReadonlyMap<number, SplitPart>;
  readonly fractions: {
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
}

/**
 * The split that a data set gives its films itself. Validation is taken at random from the
 * training patients where the data set names none. Only patients with an included, labelled film
 * that stands in a fold take part.
 *
 * @throws UserError "input" where no table gave folds, a patient or a film stands on both sides,
 *   or a part stays empty.
 */
export function assignmentByFolds(
  database: Database,
  cohortId: number,
  validationShare: number,
): FoldAssignment {
  const rows = database
    .prepare(
      `SELECT image.patient_id AS patient, image_fold.part, image.content_hash AS content
       FROM image JOIN image_fold ON image_fold.image_id = image.id
       WHERE image.cohort_id = ? AND image.status = 'included'
         AND EXISTS (SELECT 1 FROM consensus WHERE consensus.image_id = image.id)
       ORDER BY image.patient_id, image.id`,
    )
    .all(cohortId) as readonly Row[];
  if (rows.length === 0) {
    throw new UserError(
      "input",
      "No table has given this cohort folds. Import the data set's table with its lists or its " +
        "split column first, or split by fractions.",
    );
  }
  const parts = partBy(rows, ({ patient }) => patient, "patient");
  partBy(rows, ({ content }) => content, "film");
  if (![...parts.values()].includes("validation")) {
    takeValidation(parts, validationShare, groupsSharingContent(database, cohortId));
  }
  const share = (part: SplitPart): number => {
    const count = [...parts.values()].filter((each) => each === part).length;
    if (count > 0) return count / parts.size;
    throw new UserError(
      "input",
      `The data set's folds leave no patient for the ${part} part. Split by fractions instead.`,
    );
  };
  return {
    parts,
    fractions: { train: share("train"), validation: share("validation"), test: share("test") },
  };
}

interface Row {
  readonly patient: number;
  readonly part: SplitPart;
  readonly content: string;
}

/** The one part of each patient or film; refuses what stands in two. */
function partBy<Key>(
  rows: readonly Row[],
  keyOf: (row: Row) => Key,
  what: string,
): Map<Key, SplitPart> {
  const parts = new Map<Key, SplitPart>();
  const onBothSides = new Set<Key>();
  for (const row of rows) {
    const key = keyOf(row);
    const before = parts.get(key);
    if (before !== undefined && before !== row.part) onBothSides.add(key);
    parts.set(key, row.part);
  }
  if (onBothSides.size === 0) return parts;
  throw new UserError(
    "input",
    `The data set's folds put ${formatCounted(onBothSides.size, what)} into more than one part, so results ` +
      "would be measured on what was trained on. Set their films aside, or split by fractions.",
  );
}

/** Patients who share a film go together, so that it does not stand in both parts. */
function takeValidation(
  parts: Map<number, SplitPart>,
  share: number,
  together: ReadonlyMap<number, readonly number[]>,
): void {
  const train = [...parts].flatMap(([patient, part]) => (part === "train" ? [patient] : []));
  const wanted = Math.max(1, Math.round(train.length * share));
  let taken = 0;
  while (taken < wanted && train.length > 1) {
    const [patient] = train.splice(randomInt(train.length), 1);
    if (patient === undefined || parts.get(patient) !== "train") continue;
    const group = (together.get(patient) ?? [patient]).filter((one) => parts.get(one) === "train");
    for (const one of group) parts.set(one, "validation");
    taken += group.length;
  }
}
