import type { FilmRegion } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { preparationOf } from "../dicom/pipeline.ts";
import { blackenFrame } from "../dicom/regions.ts";
import { renderFrame } from "../dicom/training-frame.ts";
import { transaction, type Database } from "../store/database.ts";
import { eraseReplacedFrames } from "../store/frame-erasure.ts";
import type { SiteIdentity } from "../store/identity.ts";
import { FrameReader, FrameWriter, type FrameLocation } from "../store/image-cache.ts";
import { frameLocations, frameFormatOf, sourcePathOfImage } from "../store/images.ts";
import {
  beforeLastDecision,
  recordDecision,
  reviewedState,
  reviewItem,
  type Decision,
  type Reviewed,
} from "../store/reviews.ts";

export interface ReviewTask {
  readonly database: Database;
  readonly dataFolder: string;
  readonly identity: SiteIdentity;
  readonly imageId: number;
  /** Who decides. */
  readonly reader: string;
}

/**
 * Records what a person has decided about text on a film. Blackened regions go into a new training
 * frame; the old one is no longer used and is overwritten on the disk.
 *
 * @throws UserError "input" where there is nothing to blacken, "not-found".
 */
export async function decideReview(
  task: ReviewTask,
  decision: Decision,
  regions: readonly FilmRegion[],
): Promise<void> {
  const before = reviewedState(task.database, task.imageId);
  if (decision === "blackout" && regions.length === 0) {
    throw new UserError("input", "Draw at least one rectangle to blacken.");
  }
  const blackened = decision === "blackout" ? [...before.blackened, ...regions] : before.blackened;
  const after: Reviewed =
    decision === "set-aside"
      ? {
          ...before,
          status: "set-aside",
          statusReason: "Text burned into the image.",
          asideCode: "burned-in",
          decidedByPerson: 1,
        }
      : { ...before, blackened, state: blackened.length > 0 ? "blackened" : "accepted" };
  const frame = decision === "blackout" ? await blackenedFrame(task, regions) : null;
  commit(task, decision, after, frame);
}

/**
 * Takes the last decision back. A blackened frame is made anew from the original file.
 *
 * @throws UserError "conflict" where there is none, "not-found" where the file is gone.
 */
export async function undoReview(task: ReviewTask): Promise<void> {
  const { database, imageId } = task;
  const after = beforeLastDecision(database, imageId);
  if (after === null) throw new UserError("conflict", "There is no decision to undo.");
  const now = reviewedState(database, imageId);
  const sameFrame = JSON.stringify(now.blackened) === JSON.stringify(after.blackened);
  commit(task, "undo", after, sameFrame ? null : await originalFrame(task, after.blackened));
}

function commit(
  { database, dataFolder, imageId, reader }: ReviewTask,
  decision: Decision | "undo",
  after: Reviewed,
  frame: Required<FrameLocation> | null,
): void {
  transaction(database, () => {
    recordDecision(database, { imageId, decision, reader, after, frame });
  });
  if (frame !== null) eraseReplacedFrames(database, dataFolder);
}

async function blackenedFrame(
  task: ReviewTask,
  regions: readonly FilmRegion[],
): Promise<Required<FrameLocation>> {
  const { database, dataFolder, imageId } = task;
  const film = reviewItem(database, imageId);
  const { framePixels, pixelPipeline } = frameFormatOf(database, film.cohortId);
  const reader = new FrameReader(dataFolder, framePixels);
  try {
    const frame = reader.read(frameLocations(database, [imageId]));
    blackenFrame(frame, framePixels, film, preparationOf(pixelPipeline).fit, regions);
    return await append(task, framePixels, frame);
  } finally {
    reader.close();
  }
}

async function originalFrame(
  task: ReviewTask,
  regions: readonly FilmRegion[],
): Promise<Required<FrameLocation>> {
  const { database, identity, imageId } = task;
  const film = reviewItem(database, imageId);
  const path = sourcePathOfImage(database, identity, imageId);
  if (path === null) {
    throw new UserError("not-found", "No file of this film is known any more. Import it again.");
  }
  const { framePixels, pixelPipeline } = frameFormatOf(database, film.cohortId);
  const { pixels } = await renderFrame(path, framePixels, pixelPipeline);
  blackenFrame(pixels, framePixels, film, preparationOf(pixelPipeline).fit, regions);
  return append(task, framePixels, pixels);
}

async function append(
  { dataFolder }: ReviewTask,
  framePixels: number,
  frame: Uint8Array,
): Promise<Required<FrameLocation>> {
  const writer = new FrameWriter(dataFolder, framePixels);
  try {
    const [location] = await writer.append([frame]);
    if (location === undefined) throw new Error("The frame was not written.");
    return location;
  } finally {
    await writer.close();
  }
}
