import type { Database } from "../store/database.ts";
import { cohortSummary } from "../store/cohorts.ts";
import type { RunRecord } from "../store/runs.ts";
import { trainingImages } from "../store/training-images.ts";
import { labelCountOf, loadTrainingSet, type TrainingSet } from "./training-set.ts";

/** The patients that a membership attack is tried on. */
export interface AuditPool {
  /** The run's training set, with the labels of held-out images too; without canaries. */
  readonly set: TrainingSet;
  /** Patients with a labelled image; the training patients first. */
  readonly patients: readonly {
    readonly member: boolean;
    /** Numbers in the training set. */
    readonly images: readonly number[];
  }[];
}

/** The labelled training patients of a run and its labelled validation and test patients. */
export function auditPool(database: Database, run: RunRecord): AuditPool {
  const set = loadTrainingSet(database, {
    splitId: run.splitId,
    unit: "patient",
    positiveAtGrade: run.plan.positiveAtGrade,
    framePixels: cohortSummary(database, run.cohortId).framePixels,
  });
  const numbers = new Map([...set.imageIds].map((imageId, number) => [imageId, number]));
  const patients = new Map<number, { member: boolean; images: number[] }>();
  for (const image of trainingImages(database, run.splitId)) {
    const number = numbers.get(image.imageId);
    if (number === undefined || image.grades.every((grade) => grade === null)) continue;
    const patient = patients.get(image.patientId);
    if (patient === undefined) {
      patients.set(image.patientId, { member: image.part === "train", images: [number] });
    } else patient.images.push(number);
  }
  const all = [...patients.values()];
  return {
    set,
    patients: [...all.filter(({ member }) => member), ...all.filter(({ member }) => !member)],
  };
}

/**
 * The mean loss of each patient of the pool: binary cross-entropy, the mean over the labels of an
 * image and then over the patient's images.
 *
 * @param probabilities by number in the training set: [labels]
 */
export function patientLosses(
  { set, patients }: AuditPool,
  probabilities: (image: number) => Float32Array,
): Float64Array {
  const labelCount = labelCountOf(set);
  return Float64Array.from(patients, ({ images }) => {
    const losses = images.map((image) =>
      lossOf(
        probabilities(image),
        set.labels.subarray(image * labelCount, (image + 1) * labelCount),
      ),
    );
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  });
}

function lossOf(probabilities: Float32Array, labels: Float32Array): number {
  let sum = 0;
  let present = 0;
  labels.forEach((truth, label) => {
    if (Number.isNaN(truth)) return;
    const p = Math.min(1 - 1e-7, Math.max(1e-7, probabilities[label] ?? NaN));
    sum -= truth === 1 ? Math.log(p) : Math.log1p(-p);
    present += 1;
  });
  return sum / present;
}
