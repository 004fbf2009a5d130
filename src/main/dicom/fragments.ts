import { DicomError } from "./errors.ts";
import type { PixelDataElement } from "./parse.ts";

export interface Fragment {
  /** Of the item tag, from the first byte after the basic offset table. */
  readonly itemOffset: number;
  readonly start: number;
  readonly end: number;
}

const itemTag = 0xfffee000;
const delimiterTag = 0xfffee0dd;

/**
 * The coded bytes of one frame of encapsulated pixel data (PS3.5 A.4), whether a frame stands in
 * one fragment or in many. A single fragment is returned as a view, several as a copy.
 *
 * @throws DicomError "truncated" where a fragment leaves the file, "damaged-header" where the
 * items do not follow the standard.
 */
export function encodedFrame(
  pixelData: PixelDataElement,
  frame: number,
  numberOfFrames: number,
  extendedOffsets: Uint8Array | null,
): Uint8Array {
  const { table, fragments } = readFragments(pixelData);
  if (fragments.length === 0) {
    throw new DicomError("no-pixel-data", "The file holds no image, only an empty pixel element.");
  }
  const chosen =
    numberOfFrames === 1
      ? fragments
      : fragmentsOf(frame, numberOfFrames, fragments, extendedOffsets, table, pixelData.bytes);
  return join(pixelData.bytes, chosen);
}

/**
 * The items of encapsulated pixel data; `end` is where the last of them ends.
 *
 * @throws DicomError "truncated" or "damaged-header".
 */
export function readFragments(pixelData: PixelDataElement): {
  readonly table: readonly number[];
  readonly fragments: readonly Fragment[];
  readonly end: number;
} {
  const { bytes } = pixelData;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let table: number[] | null = null;
  let base = 0;
  const fragments: Fragment[] = [];
  let position = pixelData.offset;
  while (position + 8 <= bytes.length) {
    const tag = ((view.getUint16(position, true) << 16) | view.getUint16(position + 2, true)) >>> 0;
    const length = view.getUint32(position + 4, true);
    if (tag === delimiterTag) break;
    if (tag !== itemTag) {
      throw new DicomError("damaged-header", "The compressed image is not divided into items.");
    }
    const start = position + 8;
    const end = start + length;
    if (end > bytes.length) {
      throw new DicomError("truncated", "The file ends inside its compressed image.");
    }
    if (table === null) {
      table = [];
      for (let i = start; i + 4 <= end; i += 4) table.push(view.getUint32(i, true));
      base = end;
    } else {
      fragments.push({ itemOffset: position - base, start, end });
    }
    position = end;
  }
  return { table: table ?? [], fragments, end: position };
}

function fragmentsOf(
  frame: number,
  numberOfFrames: number,
  fragments: readonly Fragment[],
  extendedOffsets: Uint8Array | null,
  table: readonly number[],
  bytes: Uint8Array,
): readonly Fragment[] {
  if (fragments.length === numberOfFrames) return fragments.slice(frame, frame + 1);
  const offsets = extendedOffsets === null ? table : readExtended(extendedOffsets);
  if (offsets.length === numberOfFrames) {
    const from = offsets[frame] ?? 0;
    const to = offsets[frame + 1] ?? Number.POSITIVE_INFINITY;
    const chosen = fragments.filter(({ itemOffset }) => itemOffset >= from && itemOffset < to);
    if (chosen.length > 0) return chosen;
  }
  // Without a table a frame begins where a fragment begins with a start marker.
  const starts = fragments.flatMap((fragment, index) =>
    bytes[fragment.start] === 0xff &&
    (bytes[fragment.start + 1] === 0xd8 || bytes[fragment.start + 1] === 0x4f)
      ? [index]
      : [],
  );
  if (starts.length === numberOfFrames) return fragments.slice(starts[frame], starts[frame + 1]);
  throw new DicomError(
    "damaged-header",
    "The frames of the compressed image cannot be told apart.",
  );
}

function readExtended(table: Uint8Array): readonly number[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const offsets: number[] = [];
  for (let i = 0; i + 8 <= table.length; i += 8) offsets.push(Number(view.getBigUint64(i, true)));
  return offsets;
}

function join(bytes: Uint8Array, fragments: readonly Fragment[]): Uint8Array {
  const only = fragments[0];
  if (only !== undefined && fragments.length === 1) return bytes.subarray(only.start, only.end);
  const joined = new Uint8Array(fragments.reduce((sum, { start, end }) => sum + end - start, 0));
  let position = 0;
  for (const { start, end } of fragments) {
    joined.set(bytes.subarray(start, end), position);
    position += end - start;
  }
  return joined;
}
