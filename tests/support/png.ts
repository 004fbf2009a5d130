import { crc32, deflateSync } from "node:zlib";

export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  /** Rows as they stand before compression, each with its filter's number. */
  readonly raw: Uint8Array;
  readonly extra?: readonly (readonly [type: string, body: Uint8Array])[];
}

/** Writes a PNG from its parts, right or wrong. A writer of our own, so that tests know each byte. */
export function writePng({ width, height, depth, colourType, raw, extra = [] }: PngParts): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = colourType;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...extra.map(([type, body]) => chunk(type, body)),
    chunk("IDAT", deflateSync(raw)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function chunk(type: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const out = Buffer.alloc(8 + named.length);
  out.writeUInt32BE(body.length, 0);
  named.copy(out, 4);
  out.writeUInt32BE(crc32(named), 4 + named.length);
  return out;
}

/** A grey PNG of 1 to 16 bits with no filter. */
export function greyPngOf(
  values: readonly number[],
  width: number,
  height: number,
  depth: PngParts["depth"],
): Buffer {
  const rowBytes = 1 + Math.ceil((width * depth) / 8);
  const raw = Buffer.alloc(rowBytes * height);
  values.forEach((value, index) => {
    const row = Math.floor(index / width) * rowBytes + 1;
    const bit = (index % width) * depth;
    const at = row + (bit >> 3);
    if (depth === 16) raw.writeUInt16BE(value, at);
    else raw[at] = (raw[at] ?? 0) | (value << (8 - depth - (bit & 7)));
  });
  return writePng({ width, height, depth, colourType: 0, raw });
}
