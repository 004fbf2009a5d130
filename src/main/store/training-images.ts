import type { SplitPart } from "../../shared/domain.ts";
import { keysOf, type Grade } from "../../shared/findings.ts";
import type { Database } from "./database.ts";
import { schemeOfSplit } from "./schemes.ts";

/** An included image with the place of its frame and the consensus grades. */
export interface TrainingImage {
  readonly imageId: number;
  readonly patientId: number;
  readonly part: SplitPart;
  readonly frameShard: string;
  readonly framePosition: number;
  readonly frameBytes: number;
  readonly frameChecksum: number;
  /** In the order of the cohort's labels; null where there is no consensus. */
  readonly grades: readonly (Grade | null)[];
}

/** The included images of a split, by patient. */
export function trainingImages(database: Database, splitId: number): TrainingImage[] {
  const keys = keysOf(schemeOfSplit(database, splitId));
  const grades = new Map<number, (Grade | null)[]>();
  const consensus = database
    .prepare(
      `SELECT image.id, finding, grade FROM consensus
         JOIN image ON image.id = consensus.image_id
         JOIN split_member ON split_member.patient_id = image.patient_id
       WHERE split_id = ? AND image.status = 'included'`,
    )
    .iterate(splitId) as IterableIterator<{ id: number; finding: string; grade: Grade }>;
  for (const { id, finding, grade } of consensus) {
    const row = grades.get(id) ?? keys.map(() => null);
    const index = keys.indexOf(finding);
    if (index >= 0) row[index] = grade;
    grades.set(id, row);
  }
  const unlabelled = keys.map(() => null);
  const images = database
    .prepare(
      `SELECT image.id AS imageId, image.patient_id AS patientId, part,
         frame_shard AS frameShard, frame_position AS framePosition,
         frame_bytes AS frameBytes, frame_checksum AS frameChecksum
       FROM image JOIN split_member ON split_member.patient_id = image.patient_id
       WHERE split_id = ? AND image.status = 'included'
       ORDER BY image.patient_id, image.id`,
    )
    .all(splitId) as Omit<TrainingImage, "grades">[];
  return images.map((image) => ({ ...image, grades: grades.get(image.imageId) ?? unlabelled }));
}

/** What a plan takes as its units, and how the images spread over the patients. */
export interface TrainingUnits {
  /** Patients of the training part with an included image that has a label. */
  readonly patients: number;
  /** Such images. */
  readonly images: number;
  readonly mostImagesOfAPatient: number;
  /** At least half of the patients have at most this many; the upper median, never a fraction. */
  readonly medianImagesOfAPatient: number;
  /** Patients by their number of images, ascending. */
  readonly imagesPerPatient: readonly { readonly images: number; readonly patients: number }[];
}

/** Counts the units of a plan on the split's training part. */
export function countTrainingUnits(database: Database, splitId: number): TrainingUnits {
  const imagesPerPatient = database
    .prepare(
      `SELECT images, count(*) AS patients
       FROM (SELECT count(*) AS images FROM image
         JOIN split_member ON split_member.patient_id = image.patient_id
         WHERE split_id = ? AND part = 'train' AND image.status = 'included'
           AND EXISTS (SELECT 1 FROM consensus WHERE consensus.image_id = image.id)
         GROUP BY image.patient_id)
       GROUP BY images ORDER BY images`,
    )
    .all(splitId) as { images: number; patients: number }[];
  return summariseUnits(imagesPerPatient);
}

/** The counts that follow from patients by their number of images (ascending). */
export function summariseUnits(imagesPerPatient: TrainingUnits["imagesPerPatient"]): TrainingUnits {
  const patients = imagesPerPatient.reduce((sum, row) => sum + row.patients, 0);
  let below = 0;
  const median = imagesPerPatient.find((row) => (below += row.patients) > patients / 2);
  return {
    patients,
    images: imagesPerPatient.reduce((sum, row) => sum + row.patients * row.images, 0),
    mostImagesOfAPatient: imagesPerPatient.at(-1)?.images ?? 0,
    medianImagesOfAPatient: median?.images ?? 0,
    imagesPerPatient,
  };
}

/** How many patients of a split stand in each part with an included image. */
export function countPatientsByPart(
  database: Database,
  splitId: number,
): Readonly<Record<SplitPart, number>> {
  const rows = database
    .prepare(
      `SELECT part, count(*) AS patients FROM split_member
       WHERE split_id = ? AND EXISTS (SELECT 1 FROM image
         WHERE image.patient_id = split_member.patient_id AND image.status = 'included')
       GROUP BY part`,
    )
    .all(splitId) as { part: SplitPart; patients: number }[];
  const of = (part: SplitPart): number => rows.find((row) => row.part === part)?.patients ?? 0;
  return { train: of("train"), validation: of("validation"), test: of("test") };
}
