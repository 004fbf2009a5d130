import type { DataSet } from "dicom-parser";
import { DicomError } from "../errors.ts";
import { explicitBigEndian } from "../syntaxes.ts";

/** An element of a data set as it is read or to be written; values stand in little endian. */
export interface DataElement {
  /** Eight hexadecimal digits in capitals. */
  readonly tag: string;
  /** Null where the file is implicit, or says "UN". */
  readonly vr: string | null;
  readonly value: Uint8Array;
  /** The items of a sequence, else null. */
  readonly items: readonly (readonly DataElement[])[] | null;
}

/** How elements are laid down. */
export interface Encoding {
  readonly explicit: boolean;
  readonly bigEndian: boolean;
}

/** Bytes of a number by value representation, for those whose byte order matters. */
const numberBytes: Readonly<Record<string, 2 | 4 | 8>> = {
  AT: 2,
  OW: 2,
  SS: 2,
  US: 2,
  FL: 4,
  OF: 4,
  OL: 4,
  SL: 4,
  UL: 4,
  FD: 8,
  OD: 8,
  OV: 8,
  SV: 8,
  UV: 8,
};
const longVrs = new Set("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(" "));
const pixelDataTag = "7FE00010";
/** Sequences deeper than this stand in no film. */
const deepest = 32;

/** The elements of a parsed data set in order of their tags, without the pixel data. */
export function readElements(
  dataSet: DataSet,
  transferSyntax: string,
  depth = 0,
): readonly DataElement[] {
  if (depth > deepest) {
    throw new DicomError("damaged-header", "The header nests sequences too deeply.");
  }
  const bigEndian = transferSyntax === explicitBigEndian;
  return Object.values(dataSet.elements)
    .map((element) => ({ element, tag: element.tag.slice(1).toUpperCase() }))
    .filter(({ tag }) => tag !== pixelDataTag)
    .sort((a, b) => (a.tag < b.tag ? -1 : 1))
    .map(({ element, tag }): DataElement => {
      const { vr = null, dataOffset, length, items } = element;
      const raw = dataSet.byteArray.subarray(dataOffset, dataOffset + length);
      return {
        tag,
        vr: vr === "UN" ? null : vr,
        value: bigEndian && !tag.startsWith("0002") ? swapped(vr, raw) : raw,
        items:
          items === undefined
            ? null
            : items.flatMap((item) =>
                item.dataSet === undefined
                  ? []
                  : [readElements(item.dataSet, transferSyntax, depth + 1)],
              ),
      };
    });
}

/** Writes elements in the order given; sequences and items get explicit lengths. */
export function writeElements(elements: readonly DataElement[], encoding: Encoding): Buffer {
  return Buffer.concat(elements.map((element) => writeElement(element, encoding)));
}

function writeElement({ tag, vr, value, items }: DataElement, encoding: Encoding): Buffer {
  const known = items === null ? (vr ?? "UN") : "SQ";
  const ordered = encoding.bigEndian ? swapped(known, value) : value;
  const body =
    items === null
      ? even(ordered, known)
      : Buffer.concat(
          items.map((item) => {
            const inside = writeElements(item, encoding);
            return Buffer.concat([
              elementHeader("FFFEE000", null, inside.length, encoding),
              inside,
            ]);
          }),
        );
  return Buffer.concat([elementHeader(tag, known, body.length, encoding), body]);
}

/** Tag, value representation (null for items) and length. */
export function elementHeader(
  tag: string,
  vr: string | null,
  length: number,
  { explicit, bigEndian }: Encoding,
): Buffer {
  const stated = explicit ? vr : null;
  const long = stated !== null && longVrs.has(stated);
  const out = Buffer.alloc(long ? 12 : 8);
  const write16 = (number: number, at: number) =>
    bigEndian ? out.writeUInt16BE(number, at) : out.writeUInt16LE(number, at);
  write16(Number.parseInt(tag.slice(0, 4), 16), 0);
  write16(Number.parseInt(tag.slice(4), 16), 2);
  if (stated !== null) out.write(stated, 4, "latin1");
  if (stated !== null && !long) {
    write16(length, 6);
  } else {
    const at = long ? 8 : 4;
    if (bigEndian) out.writeUInt32BE(length, at);
    else out.writeUInt32LE(length, at);
  }
  return out;
}

/** An element of text in the default character set. */
export function textElement(tag: string, vr: string, text: string): DataElement {
  return { tag, vr, value: Buffer.from(text, "latin1"), items: null };
}

function even(value: Uint8Array, vr: string): Uint8Array {
  if (value.length % 2 === 0) return value;
  const filler = vr === "UI" || longVrs.has(vr) ? 0 : 0x20;
  return Buffer.concat([value, Buffer.from([filler])]);
}

function swapped(vr: string | null, value: Uint8Array): Uint8Array {
  const width = numberBytes[vr ?? ""];
  if (width === undefined || value.length % width !== 0) return value;
  const copy = Buffer.from(value);
  return width === 2 ? copy.swap16() : width === 4 ? copy.swap32() : copy.swap64();
}
