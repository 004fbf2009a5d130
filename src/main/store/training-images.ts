import type { SplitPart } from "../../shared/domain.ts";
import { findingKeys, type Grade } from "../../shared/findings.ts";
import type { Database } from "./database.ts";

/** An included image with the place of its frame and the consensus grades. */
export interface TrainingImage {
  readonly imageId: number;
  readonly patientId: number;
  readonly part: SplitPart;
  readonly frameShard: string;
  readonly framePosition: number;
  readonly frameBytes: number;
  readonly frameChecksum: number;
  /** In the order of findingKeys; null where there is no consensus. */
  readonly grades: readonly (Grade | null)[];
}

/** The included images of a split, by patient. */
export function trainingImages(database: Database, splitId: number): TrainingImage[] {
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
    const row = grades.get(id) ?? findingKeys.map(() => null);
    const index = (findingKeys as readonly string[]).indexOf(finding);
    if (index >= 0) row[index] = grade;
    grades.set(id, row);
  }
  const unlabelled = findingKeys.map(() => null);
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

/**
 * How many patients of the split's training part have an included image with a label, and how
 * many such images: the units of a plan.
 */
export function countTrainingUnits(
  database: Database,
  splitId: number,
): { readonly patients: number; readonly images: number; readonly mostImagesOfAPatient: number } {
  return database
    .prepare(
      `SELECT count(*) AS patients, coalesce(sum(images), 0) AS images,
         coalesce(max(images), 0) AS mostImagesOfAPatient
       FROM (SELECT count(*) AS images FROM image
         JOIN split_member ON split_member.patient_id = image.patient_id
         WHERE split_id = ? AND part = 'train' AND image.status = 'included'
           AND EXISTS (SELECT 1 FROM consensus WHERE consensus.image_id = image.id)
         GROUP BY image.patient_id)`,
    )
    .get(splitId) as { patients: number; images: number; mostImagesOfAPatient: number };
}
