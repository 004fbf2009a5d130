import type { Database } from "../store/database.ts";
import type { RunRecord } from "../store/runs.ts";
import { countPatientsByPart, countTrainingUnits } from "../store/training-images.ts";

/** Whose data a run uses, as counts; a held-out patient is not protected by training's guarantee. */
export interface PatientsOfRun {
  readonly mostImagesOfAPatient: number;
  readonly medianImagesOfAPatient: number;
  /** Training patients by their number of images. */
  readonly imagesPerPatient: readonly { readonly images: number; readonly patients: number }[];
  readonly patients: {
    readonly trained: number;
    readonly validation: number;
    readonly test: number;
  };
}

/** The patients of a run as its cohort stands now. */
export function patientsOf(database: Database, run: Pick<RunRecord, "splitId">): PatientsOfRun {
  const units = countTrainingUnits(database, run.splitId);
  const { validation, test } = countPatientsByPart(database, run.splitId);
  return {
    mostImagesOfAPatient: units.mostImagesOfAPatient,
    medianImagesOfAPatient: units.medianImagesOfAPatient,
    imagesPerPatient: units.imagesPerPatient,
    patients: { trained: units.patients, validation, test },
  };
}
