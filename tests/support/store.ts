import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPreparation, pixelPipelineOf } from "../../src/main/dicom/pipeline.ts";
import { openDatabase, type Database } from "../../src/main/store/database.ts";

export interface TemporaryStore {
  readonly folder: string;
  readonly dataFolder: string;
  readonly database: Database;
  readonly cohortId: number;
  remove(): void;
}

/** A data folder of its own with one empty cohort. */
export function temporaryStore(framePixels = 32): TemporaryStore {
  const folder = mkdtempSync(join(tmpdir(), "silhouette-test-"));
  const dataFolder = join(folder, "data");
  const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
  const cohortId = addCohort(database, framePixels);
  return {
    folder,
    dataFolder,
    database,
    cohortId,
    remove() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function addCohort(database: Database, framePixels: number): number {
  const { lastInsertRowid } = database
    .prepare(
      `INSERT INTO cohort (name, created_at, frame_pixels, pixel_pipeline, positive_at_grade)
       VALUES ('Test', '2026-01-01T00:00:00.000Z', ?, ?, 2)`,
    )
    .run(framePixels, pixelPipelineOf(defaultPreparation));
  return Number(lastInsertRowid);
}
