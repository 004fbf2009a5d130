import { UserError } from "../../shared/errors.ts";
import { filmForViewing } from "../dicom/film.ts";
import { greyPng } from "../dicom/png.ts";
import { defaultPreparation, pixelPipelineOf } from "../dicom/pipeline.ts";
import { blackenFrame, fillRegions } from "../dicom/regions.ts";
import { renderFrame } from "../dicom/training-frame.ts";
import { cohortOfImage } from "../store/image-table.ts";
import { FrameReader } from "../store/image-cache.ts";
import { frameLocations, frameFormatOf, sourcePathOfImage } from "../store/images.ts";
import { reviewItem } from "../store/reviews.ts";
import type { CoreContext } from "./context.ts";

/** Side of the square in which a film is looked at for text. */
const previewPixels = 1024;

export interface Pixels {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The bytes behind `film/<image>` (the film at full resolution, with its FilmHeader as a JSON
 * header named "x-film"), `frame/<image>` (the training frame as PNG) and `preview/<image>` (the film
 * at a size for reading text, as PNG; blackened regions are black in all of them).
 *
 * @throws UserError "not-found" where there is no such image or its file has moved.
 */
export async function pixelsOf(context: CoreContext, path: string): Promise<Pixels> {
  const match = /^(film|frame|preview)\/(\d{1,15})$/.exec(path);
  if (match === null) throw new UserError("not-found", "There is no such picture.");
  const imageId = Number(match[2]);
  if (match[1] === "film") return filmOf(context, imageId);
  return match[1] === "frame" ? frameOf(context, imageId) : previewOf(context, imageId);
}

async function previewOf(context: CoreContext, imageId: number): Promise<Pixels> {
  const film = reviewItem(context.database, imageId);
  const pipeline = pixelPipelineOf(defaultPreparation);
  const { pixels } = await renderFrame(pathOf(context, imageId), previewPixels, pipeline);
  blackenFrame(pixels, previewPixels, film, defaultPreparation.fit, film.blackened);
  return { headers: { "content-type": "image/png" }, body: greyPng(pixels, previewPixels) };
}

function pathOf({ database, identity }: CoreContext, imageId: number): string {
  const path = sourcePathOfImage(database, identity, imageId);
  if (path === null) {
    throw new UserError("not-found", "No file of this film is known any more. Import it again.");
  }
  return path;
}

async function filmOf(context: CoreContext, imageId: number): Promise<Pixels> {
  const { header, pixels } = await filmForViewing(pathOf(context, imageId));
  // What a person has blackened is shown black everywhere, though the original is untouched.
  const { blackened } = reviewItem(context.database, imageId);
  fillRegions(pixels, header, blackened, header.invert ? header.maximum : header.minimum);
  return {
    headers: { "content-type": "application/octet-stream", "x-film": JSON.stringify(header) },
    body: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength),
  };
}

function frameOf(context: CoreContext, imageId: number): Pixels {
  const { database, dataFolder } = context;
  const { framePixels } = frameFormatOf(database, cohortOfImage(database, imageId));
  const reader = new FrameReader(dataFolder, framePixels);
  try {
    const frame = reader.read(frameLocations(database, [imageId]));
    return { headers: { "content-type": "image/png" }, body: greyPng(frame, framePixels) };
  } finally {
    reader.close();
  }
}
