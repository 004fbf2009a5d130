import type { ScoredImage } from "../../shared/comparison.ts";
import { UserError } from "../../shared/errors.ts";
import {
  ageBinOf,
  ageBins,
  comorbidityGroupOf,
  comorbidityGroups,
  freeAttribute,
  freeColumnOf,
  sexTitles,
} from "../../shared/subgroups.ts";
import type { Attribute, CellPlan } from "./statistics.ts";
import type { LabelColumns } from "./tally.ts";

/** A run's scores, checked, in the order of image ids, apart by part of the split. */
export interface ScoredParts {
  readonly validation: readonly ScoredImage[];
  readonly test: readonly ScoredImage[];
}

/**
 * Checks what a run's scores must fulfil before anything is computed from them.
 *
 * @throws UserError where scores are not numbers, images repeat, or no test image is there
 * @throws Error where a patient is in both parts, which the split never allows
 */
export function partsOf(
  runId: string,
  scored: readonly ScoredImage[],
  labels: number,
): ScoredParts {
  const sorted = [...scored].sort((a, b) => a.imageId - b.imageId);
  const partOfPatient = new Map<number, ScoredImage["part"]>();
  let previous: number | null = null;
  for (const image of sorted) {
    if (image.imageId === previous) {
      throw new Error(`Image ${String(image.imageId)} is scored twice by run ${runId}.`);
    }
    previous = image.imageId;
    if (image.truth.length !== labels || image.scores.length !== labels) {
      throw new Error(`Run ${runId} needs ${String(labels)} scores for each image.`);
    }
    if (!image.scores.every(Number.isFinite)) {
      throw new UserError(
        "conflict",
        `Run ${runId} gave scores that are not numbers, so its training diverged. ` +
          "Train again with a lower learning rate.",
      );
    }
    const part = partOfPatient.get(image.patientId);
    if (part !== undefined && part !== image.part) {
      throw new Error("A patient is in the validation part and in the test part of the split.");
    }
    partOfPatient.set(image.patientId, image.part);
  }
  const parts = {
    validation: sorted.filter((image) => image.part === "validation"),
    test: sorted.filter((image) => image.part === "test"),
  };
  if (parts.test.length === 0) {
    throw new UserError(
      "conflict",
      `Run ${runId} has no scores of test patients. Score the held-out patients first.`,
    );
  }
  return parts;
}

/** @throws UserError where two runs were not scored on the same images with the same labels */
export function requireSameImages(a: readonly ScoredImage[], b: readonly ScoredImage[]): void {
  const same =
    a.length === b.length &&
    a.every((image, index) => {
      const other = b[index];
      return (
        other?.imageId === image.imageId &&
        other.patientId === image.patientId &&
        other.part === image.part &&
        image.truth.every((value, label) => value === other.truth[label])
      );
    });
  if (same) return;
  throw new UserError(
    "conflict",
    "The private run and the reference run were scored on different images or labels, so they " +
      "cannot be compared. Score both again on the present split.",
  );
}

export function patientsIn(images: readonly ScoredImage[]): number {
  return new Set(images.map((image) => image.patientId)).size;
}

/** The group of a free subgroup's values that too few test patients have to be told apart. */
const rareValues = "other values";

/**
 * Sex and age as the study divides them ("Other" only where somebody is), the number of
 * co-morbidities where it is known of anybody, and the free subgroups in the order of their names.
 * Values of a free subgroup with fewer patients than the minimum share one group.
 */
export function attributesOf(images: readonly ScoredImage[], minimumCell: number): Attribute[] {
  const sexes = [sexTitles.F, sexTitles.M];
  if (images.some((image) => image.sex === "O")) sexes.push(sexTitles.O);
  const attributes: Attribute[] = [
    { name: "sex", groups: sexes, pair: [sexTitles.F, sexTitles.M] },
    { name: "age", groups: ageBins.map((bin) => bin.title), pair: null },
  ];
  if (images.some((image) => image.comorbidityCount !== null)) {
    attributes.push({ name: "comorbidity", groups: comorbidityGroups, pair: null });
  }
  const columns = new Set(images.flatMap((image) => Object.keys(image.subgroups)));
  for (const column of [...columns].sort()) {
    const groups = freeGroups(images, column, minimumCell);
    attributes.push({ name: freeAttribute(column), groups, pair: null });
  }
  return attributes;
}

function freeGroups(images: readonly ScoredImage[], column: string, minimumCell: number): string[] {
  const patients = new Map<string, Set<number>>();
  for (const { patientId, subgroups } of images) {
    const value = subgroups[column];
    if (value === undefined) continue;
    const having = patients.get(value) ?? new Set();
    patients.set(value, having.add(patientId));
  }
  const values = [...patients.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const large = values.filter((value) => (patients.get(value)?.size ?? 0) >= minimumCell);
  const rest = large.length < values.length && !large.includes(rareValues) ? [rareValues] : [];
  return [...large, ...rest];
}

/** The group of an image in an attribute of attributesOf; null where it is unknown. */
export function groupOf(image: ScoredImage, attribute: Attribute): string | null {
  const column = freeColumnOf(attribute.name);
  if (column !== null) {
    const value = image.subgroups[column];
    if (value === undefined) return null;
    return attribute.groups.includes(value) ? value : rareValues;
  }
  if (attribute.name === "sex") return image.sex === null ? null : sexTitles[image.sex];
  if (attribute.name === "age") return ageBinOf(image.ageYears);
  return comorbidityGroupOf(image.comorbidityCount);
}

/** What all labels of a run share: each image's patient as a number from 0, and its cells. */
export interface ImageColumns {
  readonly patients: Uint32Array;
  readonly cells: Uint16Array;
  readonly cellsPerImage: number;
}

export function imageColumnsOf(
  images: readonly ScoredImage[],
  attributes: readonly Attribute[],
  plan: CellPlan,
): ImageColumns {
  const numbers = patientNumbers(images);
  const cells = new Uint16Array(images.length * attributes.length);
  images.forEach((image, row) => {
    attributes.forEach((of, attribute) => {
      const group = groupOf(image, of);
      const index = group === null ? -1 : of.groups.indexOf(group);
      cells[row * attributes.length + attribute] = plan.cellOf(attribute, index < 0 ? null : index);
    });
  });
  return {
    patients: Uint32Array.from(images, (image) => numbers.get(image.patientId) ?? 0),
    cells,
    cellsPerImage: attributes.length,
  };
}

/** The images that have a truth for one label, as columns. */
export function labelColumnsOf(
  images: readonly ScoredImage[],
  label: number,
  shared: ImageColumns,
): LabelColumns {
  const rows = images.flatMap((image, row) => (image.truth[label] === null ? [] : [row]));
  const cells = new Uint16Array(rows.length * shared.cellsPerImage);
  rows.forEach((row, index) => {
    const from = row * shared.cellsPerImage;
    cells.set(
      shared.cells.subarray(from, from + shared.cellsPerImage),
      index * shared.cellsPerImage,
    );
  });
  return {
    patients: Uint32Array.from(rows, (row) => shared.patients[row] ?? 0),
    positive: Uint8Array.from(rows, (row) => images[row]?.truth[label] ?? 0),
    scores: Float64Array.from(rows, (row) => images[row]?.scores[label] ?? NaN),
    cells,
  };
}

/** Dense numbers of the patients in ascending order of their ids. */
function patientNumbers(images: readonly ScoredImage[]): Map<number, number> {
  const ids = [...new Set(images.map((image) => image.patientId))].sort((a, b) => a - b);
  return new Map(ids.map((id, index) => [id, index]));
}
