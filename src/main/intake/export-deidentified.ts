import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeidentifiedExport, FilmRegion, ReviewState } from "../../shared/domain.ts";
import { messageOf, UserError } from "../../shared/errors.ts";
import { readOriginal } from "../dicom/archive.ts";
import { deidentify } from "../dicom/deidentification/deidentify.ts";
import { FileBuffer } from "../dicom/file-buffer.ts";
import type { Database } from "../store/database.ts";
import type { SiteIdentity } from "../store/identity.ts";
import { sourcePathOfImage } from "../store/images.ts";

export interface ExportTask {
  readonly database: Database;
  readonly identity: SiteIdentity;
  readonly cohortId: number;
  readonly folder: string;
  /** Keep sex, age, size and weight in the copies. */
  readonly keepCharacteristics: boolean;
  /** Also films that nobody has looked at for burned-in text. */
  readonly withUnreviewed: boolean;
  readonly whileRunning: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

interface Film {
  readonly imageId: number;
  readonly patient: string;
  readonly state: ReviewState;
  readonly blackened: string | null;
}

/**
 * Writes de-identified copies of the cohort's included films, a folder for each patient. Films
 * whose burned-in text nobody has looked for are held back unless they are asked for. A film whose
 * original cannot be read is listed with the reason; the others are written.
 *
 * @throws UserError "resource" where the folder cannot be written.
 */
export async function exportDeidentified(task: ExportTask): Promise<DeidentifiedExport> {
  const { database, identity, folder } = task;
  const films = includedFilms(database, task.cohortId);
  const failed: { readonly imageId: number; readonly reason: string }[] = [];
  const buffer = new FileBuffer();
  let written = 0;
  let withheld = 0;
  let done = 0;
  for (const { imageId, patient, state, blackened } of films) {
    if (task.signal.aborted) break;
    await task.whileRunning();
    task.onProgress(done++, films.length);
    if (state === "open" && !task.withUnreviewed) {
      withheld++;
      continue;
    }
    let copy: Awaited<ReturnType<typeof deidentify>>;
    try {
      const path = sourcePathOfImage(database, identity, imageId);
      if (path === null) throw new UserError("not-found", "Its file is not known any more.");
      copy = await deidentify(await readOriginal(path, buffer), {
        // The store's own pseudonym, so that copies and cohort agree.
        keys: { ...identity, patient: () => patient },
        keepCharacteristics: task.keepCharacteristics,
        regions: blackened === null ? [] : (JSON.parse(blackened) as FilmRegion[]),
        pixelsReviewed: state !== "open",
      });
    } catch (thrown) {
      failed.push({ imageId, reason: messageOf(thrown) });
      continue;
    }
    await write(join(folder, patient), `${copy.sopInstanceUid}.dcm`, copy.bytes);
    written++;
  }
  task.onProgress(done, films.length);
  return { folder, written, withheld, failed, cancelled: task.signal.aborted };
}

async function write(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), bytes);
  } catch (cause) {
    throw new UserError(
      "resource",
      `${folder} cannot be written. Check its permissions and the free space, or choose another.`,
      { cause },
    );
  }
}

function includedFilms(database: Database, cohortId: number): readonly Film[] {
  return database
    .prepare(
      `SELECT image.id AS imageId, patient.pseudonym AS patient, image.review_state AS state,
         image.blackened
       FROM image JOIN patient ON patient.id = image.patient_id
       WHERE image.cohort_id = ? AND image.status = 'included' ORDER BY image.id`,
    )
    .all(cohortId) as Film[];
}
