import { UserError } from "../../shared/errors.ts";
import { filmForViewing } from "../dicom/film.ts";
import { greyPng } from "../dicom/png.ts";
import { cohortOfImage } from "../store/image-table.ts";
import { FrameReader } from "../store/image-cache.ts";
import { frameLocations, frameFormatOf, sourcePathOfImage } from "../store/images.ts";
import type { CoreContext } from "./context.ts";

export interface Pixels {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The bytes behind `film/<image>` (the film at full resolution, with its FilmHeader as a JSON
 * header named "x-film") and `frame/<image>` (the training frame as PNG).
 *
 * @throws UserError "not-found" where there is no such image or its file has moved.
 */
export async function pixelsOf(context: CoreContext, path: string): Promise<Pixels> {
  const match = /^(film|frame)\/(\d{1,15})$/.exec(path);
  if (match === null) throw new UserError("not-found", "There is no such picture.");
  const imageId = Number(match[2]);
  return match[1] === "film" ? filmOf(context, imageId) : frameOf(context, imageId);
}

async function filmOf(context: CoreContext, imageId: number): Promise<Pixels> {
  const path = sourcePathOfImage(context.database, context.identity, imageId);
  if (path === null) {
    throw new UserError("not-found", "No file of this film is known any more. Import it again.");
  }
  const { header, pixels } = await filmForViewing(path);
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
