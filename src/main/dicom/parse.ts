import { inflateRawSync } from "node:zlib";
import dicomParser from "dicom-parser";
import type { DataSet, Element } from "dicom-parser";
import { messageOf } from "../../shared/errors.ts";
import { DicomError } from "./errors.ts";
import { readHeader } from "./attributes.ts";
import type { DicomHeader } from "./header.ts";
import {
  deflatedLittleEndian,
  explicitBigEndian,
  explicitLittleEndian,
  implicitLittleEndian,
} from "./syntaxes.ts";

/** Where the pixel data stand; in a deflated file `bytes` is the inflated copy. */
export interface PixelDataElement {
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** Null in an encapsulated file: fragments follow until the delimiter. */
  readonly length: number | null;
  readonly vr: string | null;
}

export interface ParsedFile {
  readonly header: DicomHeader;
  readonly pixelData: PixelDataElement | null;
  /** (7FE0,0001) Extended Offset Table, if any, as bytes. */
  readonly extendedOffsets: Uint8Array | null;
}

const pixelDataTag = "x7fe00010";
const preambleBytes = 132;
/** A deflated film is refused when it inflates beyond this. */
const inflatedLimitBytes = 512 * 1024 * 1024;

/**
 * Parses a DICOM file up to its pixel data. Files without preamble are accepted, with or without
 * meta header. Nothing is copied except for deflated files and a meta header without preamble, so
 * `bytes` must stay as it is for as long as the result is used.
 *
 * @throws DicomError "not-dicom", "truncated" or "damaged-header".
 */
export function parseFile(bytes: Uint8Array): ParsedFile {
  return toParsedFile(parseDataSet(bytes));
}

/** The same from a data set that has been parsed up to its pixel data. */
export function toParsedFile(dataSet: DataSet): ParsedFile {
  const element = dataSet.elements[pixelDataTag];
  const offsets = dataSet.elements["x7fe00001"];
  return {
    header: headerOf(dataSet),
    pixelData:
      element === undefined
        ? null
        : {
            bytes: dataSet.byteArray,
            offset: element.dataOffset,
            length: element.hadUndefinedLength === true ? null : element.length,
            vr: element.vr ?? null,
          },
    extendedOffsets:
      offsets === undefined
        ? null
        : dataSet.byteArray.subarray(offsets.dataOffset, offsets.dataOffset + offsets.length),
  };
}

/** An attribute can be shorter than its type says, at the very end of a file. */
function headerOf(dataSet: DataSet): DicomHeader {
  try {
    return readHeader(dataSet);
  } catch (thrown) {
    throw parserFailure(thrown);
  }
}

/** The same as a raw data set, for code that needs single elements. */
export function parseDataSet(bytes: Uint8Array, untilTag: string | null = pixelDataTag): DataSet {
  const start = startOf(bytes);
  const deflated = { met: false };
  const options: dicomParser.ParseDicomOptions = {
    inflater: (whole, position) => {
      deflated.met = true;
      return inflate(whole, position);
    },
  };
  if (untilTag !== null) options.untilTag = untilTag;
  if (start.transferSyntax !== null) options.TransferSyntaxUID = start.transferSyntax;
  try {
    const dataSet = dicomParser.parseDicom(start.bytes, options);
    if (deflated.met) keepSyntaxOnly(dataSet);
    return dataSet;
  } catch (thrown) {
    if (thrown instanceof DicomError) throw thrown;
    throw parserFailure(thrown);
  }
}

interface Start {
  readonly bytes: Uint8Array;
  /** Set where there is no meta header to say it. */
  readonly transferSyntax: string | null;
}

function startOf(bytes: Uint8Array): Start {
  if (hasPrefix(bytes)) return { bytes, transferSyntax: null };
  const group = littleEndian16(bytes, 0);
  if (group === 0x0002 && isVr(bytes, 4)) {
    const whole = Buffer.alloc(preambleBytes + bytes.length);
    whole.write("DICM", 128, "latin1");
    whole.set(bytes, preambleBytes);
    return { bytes: whole, transferSyntax: null };
  }
  if (group === 0x0008 && littleEndian16(bytes, 2) <= 0x0100) {
    const explicit = isVr(bytes, 4);
    const plausibleLength = littleEndian16(bytes, 6) === 0;
    if (explicit || plausibleLength) {
      return { bytes, transferSyntax: explicit ? explicitLittleEndian : implicitLittleEndian };
    }
  }
  if (group === 0x0800 && isVr(bytes, 4)) return { bytes, transferSyntax: explicitBigEndian };
  throw new DicomError("not-dicom", notDicomReason(bytes));
}

function notDicomReason(bytes: Uint8Array): string {
  if (bytes.length === 0) return "The file is empty.";
  const sample = bytes.subarray(0, 512);
  const printable = sample.every((byte) => byte >= 32 || (byte >= 9 && byte <= 13));
  return printable ? "The file is text, not a DICOM file." : "The file is not a DICOM file.";
}

/** Whether the 128 bytes of preamble are followed by the DICOM prefix. */
export function hasPrefix(bytes: Uint8Array): boolean {
  return (
    bytes.length >= preambleBytes &&
    bytes[128] === 0x44 &&
    bytes[129] === 0x49 &&
    bytes[130] === 0x43 &&
    bytes[131] === 0x4d
  );
}

const vrs = new Set(
  (
    "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN " +
    "UR US UT UV"
  ).split(" "),
);

function isVr(bytes: Uint8Array, position: number): boolean {
  return vrs.has(String.fromCharCode(bytes[position] ?? 0, bytes[position + 1] ?? 0));
}

function littleEndian16(bytes: Uint8Array, position: number): number {
  return (bytes[position] ?? 0) | ((bytes[position + 1] ?? 0) << 8);
}

/** The parser goes on at the beginning of what this returns, so no preamble may stand there. */
function inflate(bytes: Uint8Array, position: number): Uint8Array {
  try {
    return inflateRawSync(bytes.subarray(position), { maxOutputLength: inflatedLimitBytes });
  } catch (thrown) {
    const tooLarge = thrown instanceof RangeError;
    throw tooLarge
      ? new DicomError("too-large", "The file inflates to more than 512 MB.")
      : new DicomError("truncated", "The deflated data set ends early or is damaged.");
  }
}

/** The meta header of a deflated file lies in other bytes than the data set that is handed on. */
function keepSyntaxOnly(dataSet: DataSet): void {
  for (const tag of Object.keys(dataSet.elements)) {
    if (tag.startsWith("x0002")) Reflect.deleteProperty(dataSet.elements, tag);
  }
  const syntax: Element & { readonly Value: string } = {
    tag: "x00020010",
    vr: "UI",
    length: 0,
    dataOffset: 0,
    Value: deflatedLittleEndian,
  };
  dataSet.elements[syntax.tag] = syntax;
}

/** dicom-parser throws strings, errors and plain objects; none of them reaches a person as is. */
function parserFailure(thrown: unknown): DicomError {
  const inner =
    typeof thrown === "object" && thrown !== null && "exception" in thrown
      ? thrown.exception
      : thrown;
  if (inner instanceof DicomError) return inner;
  const detail = messageOf(inner);
  return /past end|beyond|outside|attempt to seek|attempt to read|not enough/i.test(detail)
    ? new DicomError("truncated", "The file ends inside its header.")
    : new DicomError("damaged-header", "The DICOM header cannot be read.");
}
