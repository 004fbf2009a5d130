import { randomInt } from "node:crypto";
import type { SplitPart } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { formatCounted } from "../../shared/format.ts";
import { now, transaction, type Database } from "./database.ts";
import { filmsInSeveralParts, groupsSharingContent } from "./shared-films.ts";
import { assignmentByFolds, type FoldAssignment } from "./folds.ts";

export interface SplitRow {
  readonly id: number;
  readonly createdAt: string;
  readonly trainFraction: number;
  readonly validationFraction: number;
  readonly testFraction: number;
  readonly lockedAt: string | null;
}

export interface SplitFractions {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** The newest split of the cohort, or null. */
export function currentSplit(database: Database, cohortId: number): SplitRow | null {
  const row = database
    .prepare(
      `SELECT id, created_at AS createdAt, train_fraction AS trainFraction,
         validation_fraction AS validationFraction, test_fraction AS testFraction,
         locked_at AS lockedAt
       FROM split WHERE cohort_id = ? ORDER BY id DESC LIMIT 1`,
    )
    .get(cohortId) as SplitRow | undefined;
  return row ?? null;
}

/**
 * Splits the cohort by patient: all images of a patient stand in one part. Patients are spread
 * within strata of sex and of the number of their positive findings, so that the parts resemble
 * each other; the assignment is random, by the operating system's generator.
 *
 * Patients whose images share a content hash (the same film under two identifiers) are kept
 * together, so that no film stands on both sides.
 *
 * @throws UserError "conflict" once a run has used the cohort's split, "input" where the fractions
 *   do not add to 1 or the cohort has too few labelled patients.
 */
export function createSplit(
  database: Database,
  cohortId: number,
  fractions: SplitFractions,
): SplitRow {
  const { train, validation, test } = fractions;
  if (Math.abs(train + validation + test - 1) > 1e-9) {
    throw new UserError(
      "input",
      `The parts of a split must add to 1; these add to ${train + validation + test}.`,
    );
  }
  return store(database, cohortId, () => ({
    parts: assign(strataOf(database, cohortId), fractions),
    fractions,
  }));
}

/**
 * Splits the cohort as its data set does itself.
 *
 * @param validationShare of the training patients, where the data set names none for validation
 * @throws UserError "conflict" once a run has used the cohort's split, "input" where the folds are
 *   missing, leave a part empty, or put a patient or a film on both sides.
 */
export function createSplitByFolds(
  database: Database,
  cohortId: number,
  validationShare = 0.1,
): SplitRow {
  return store(database, cohortId, () => assignmentByFolds(database, cohortId, validationShare));
}

function store(database: Database, cohortId: number, work: () => FoldAssignment): SplitRow {
  return transaction(database, () => {
    if (currentSplit(database, cohortId)?.lockedAt != null) {
      throw new UserError(
        "conflict",
        "A run has used the split of this cohort, so it no longer changes: otherwise patients " +
          "that a model was trained on could be counted as held out. Create another cohort for " +
          "another split.",
      );
    }
    const { parts, fractions } = work();
    const id = database
      .prepare(
        `INSERT INTO split (cohort_id, created_at, train_fraction, validation_fraction,
           test_fraction) VALUES (?, ?, ?, ?, ?)`,
      )
      .run(cohortId, now(), fractions.train, fractions.validation, fractions.test).lastInsertRowid;
    const insert = database.prepare(
      "INSERT INTO split_member (split_id, patient_id, part) VALUES (?, ?, ?)",
    );
    for (const [patient, part] of parts) insert.run(id, patient, part);
    const created = currentSplit(database, cohortId);
    if (created === null) throw new Error("the split was not stored");
    if (filmsInSeveralParts(database, created.id) > 0) {
      throw new Error("the split puts a film into two parts");
    }
    return created;
  });
}

/**
 * Marks the split as used: from now on it does not change.
 *
 * @throws UserError "conflict" where a film that came since stands in two parts, under two patients
 */
export function lockSplit(database: Database, splitId: number): void {
  const shared = filmsInSeveralParts(database, splitId);
  if (shared > 0) {
    throw new UserError(
      "conflict",
      `${formatCounted(shared, "film stands", "films stand")} in two parts of the split, as films ` +
        "of two patients: results would be measured on what was trained on. Set one of each two " +
        "aside, or make the split anew.",
    );
  }
  database
    .prepare("UPDATE split SET locked_at = ? WHERE id = ? AND locked_at IS NULL")
    .run(now(), splitId);
}

/** Groups of patients that must stay together, with the stratum that each belongs to. */
interface Stratum {
  readonly groups: readonly (readonly number[])[];
}

function strataOf(database: Database, cohortId: number): Stratum[] {
  const patients = database
    .prepare(
      `SELECT patient.id, coalesce(patient.sex, '?') AS sex,
         (SELECT count(DISTINCT consensus.finding) FROM image
            JOIN consensus ON consensus.image_id = image.id
            JOIN cohort ON cohort.id = image.cohort_id
            WHERE image.patient_id = patient.id AND image.status = 'included'
              AND consensus.grade >= cohort.positive_at_grade) AS positives
       FROM patient
       WHERE cohort_id = ? AND EXISTS (SELECT 1 FROM image
         WHERE image.patient_id = patient.id AND image.status = 'included'
           AND EXISTS (SELECT 1 FROM consensus WHERE consensus.image_id = image.id))
       ORDER BY patient.id`,
    )
    .all(cohortId) as { id: number; sex: string; positives: number }[];
  if (patients.length < 10) {
    throw new UserError(
      "input",
      `The cohort has ${patients.length} patients with labelled, included images; a split needs ` +
        "at least 10. Import more films or their labels first.",
    );
  }
  const together = groupsSharingContent(database, cohortId);
  const strata = new Map<string, number[][]>();
  const placed = new Set<number>();
  for (const patient of patients) {
    if (placed.has(patient.id)) continue;
    const group = together.get(patient.id) ?? [patient.id];
    for (const member of group) placed.add(member);
    const key = `${patient.sex}/${Math.min(patient.positives, 3)}`;
    const groups = strata.get(key) ?? [];
    groups.push([...group]);
    strata.set(key, groups);
  }
  return [...strata.values()].map((groups) => ({ groups }));
}

function assign(strata: readonly Stratum[], fractions: SplitFractions): Map<number, SplitPart> {
  const assignment = new Map<number, SplitPart>();
  // Rounding errors are carried from one stratum to the next, so that many small strata do not
  // add up to parts of the wrong size.
  let owedToTest = 0;
  let owedToValidation = 0;
  for (const { groups } of strata) {
    const shuffled = shuffle(groups);
    owedToTest += shuffled.length * fractions.test;
    owedToValidation += shuffled.length * fractions.validation;
    const testGroups = Math.max(0, Math.min(shuffled.length, Math.round(owedToTest)));
    owedToTest -= testGroups;
    const validationGroups = Math.max(
      0,
      Math.min(shuffled.length - testGroups, Math.round(owedToValidation)),
    );
    owedToValidation -= validationGroups;
    shuffled.forEach((group, index) => {
      const part: SplitPart =
        index < testGroups
          ? "test"
          : index < testGroups + validationGroups
            ? "validation"
            : "train";
      for (const patient of group) assignment.set(patient, part);
    });
  }
  return assignment;
}

function shuffle<T>(items: readonly T[]): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    const swap = shuffled[last] as T;
    shuffled[last] = shuffled[other] as T;
    shuffled[other] = swap;
  }
  return shuffled;
}
