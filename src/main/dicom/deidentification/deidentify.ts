import { deflateRawSync } from "node:zlib";
import { parseDataSet, toParsedFile } from "../parse.ts";
import type { Region } from "../regions.ts";
import { deflatedLittleEndian, explicitBigEndian, implicitLittleEndian } from "../syntaxes.ts";
import { cleanedElements, type Tally } from "./clean.ts";
import { dicomCode } from "./codes.ts";
import {
  readElements,
  textElement,
  writeElements,
  type DataElement,
  type Encoding,
} from "./elements.ts";
import { identifiersOf } from "./identifiers.ts";
import { pixelElement } from "./pixel-element.ts";
import { isStandardUid, type Replacements } from "./values.ts";

/** The site's keyed replacements. The same original gives the same replacement in every file. */
export interface DeidentificationKeys {
  /** The patient's pseudonym in the store; the issuer tells equal identifiers apart. */
  patient(patientId: string, issuer: string | null): string;
  /** A UID under 2.25. */
  uid(original: string): string;
  shiftDate(patientPseudonym: string, isoDate: string): string;
}

export interface DeidentifyOptions {
  readonly keys: DeidentificationKeys;
  /** Keep sex, age (90 and over as 90), size and weight: the profile's option 113108. */
  readonly keepCharacteristics?: boolean;
  /** Rectangles to blacken; the pixels are written anew without compression then. */
  readonly regions?: readonly Region[];
  /** A person has looked at the pixels, and nothing outside of the regions names the patient. */
  readonly pixelsReviewed?: boolean;
}

export interface DeidentifiedFile extends Readonly<Tally> {
  readonly bytes: Buffer;
  readonly patient: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  /** As the copy states it; null where it states nothing, so that text may be there. */
  readonly burnedInAnnotation: "YES" | "NO" | null;
}

/** Of this implementation, in files that it writes (PS3.7 D.3.3.2). */
const implementationClassUid = "2.25.213947301958372614905837164920375610284";
const implementationVersion = "SILHOUETTE_1";

/**
 * A de-identified copy after PS3.15 annex E: the basic profile with the option to retain
 * longitudinal temporal information with modified dates. Dates move by the patient's secret number
 * of days, UIDs are replaced by keyed ones, sequences are cleaned recursively; private attributes,
 * overlays, curves and whatever is not known to be harmless are removed. Stored values stay as
 * they are, except inside `regions`.
 *
 * @throws DicomError where the file is not a DICOM image or the pixels cannot be rewritten.
 */
export async function deidentify(
  bytes: Uint8Array,
  options: DeidentifyOptions,
): Promise<DeidentifiedFile> {
  const { keys, keepCharacteristics = false, regions = [], pixelsReviewed = false } = options;
  const dataSet = parseDataSet(bytes);
  const file = toParsedFile(dataSet);
  const { identity, pixels } = file.header;
  const elements = readElements(dataSet, pixels.transferSyntax);
  const patient = keys.patient(
    identity.patientId ?? `study ${identity.studyInstanceUid ?? identity.sopInstanceUid ?? ""}`,
    identity.issuerOfPatientId,
  );
  const replacements: Replacements = {
    patient,
    uid: (original) => keys.uid(original),
    shiftDate: (isoDate) => keys.shiftDate(patient, isoDate),
  };
  const tally: Tally = { removed: 0, replaced: 0, kept: 0 };
  const cleaned = cleanedElements(elements, {
    replacements,
    identifiers: identifiersOf(elements),
    keepCharacteristics,
    tally,
  });
  const encoding = encodingOf(pixels.transferSyntax);
  const image = await pixelElement(file, encoding, {
    regions,
    hiddenOverlay: elements.some(({ tag }) => /^60[0-9A-F][02468ACE]0102$/.test(tag)),
  });
  const burnedIn = pixelsReviewed ? "NO" : statedBurnedIn(cleaned);
  const changed = new Map(cleaned.map((element) => [element.tag, element] as const));
  for (const element of statements(patient, { keepCharacteristics, pixelsReviewed, burnedIn })) {
    changed.set(element.tag, element);
  }
  if (image.rewritten !== null) {
    for (const tag of ["7FE00001", "7FE00002"]) changed.delete(tag);
  }
  const sopClassUid = uidOf(changed, "00080016");
  const sopInstanceUid = uidOf(changed, "00080018");
  const used = image.rewritten === null ? encoding : { explicit: true, bigEndian: false };
  const ordered = [...changed.values()].toSorted((a, b) => (a.tag < b.tag ? -1 : 1));
  // Nothing of use follows the pixel data: signatures and padding are removed by the profile.
  let body: Buffer = Buffer.concat([writeElements(ordered, used), image.bytes]);
  if (image.transferSyntax === deflatedLittleEndian) body = evenLength(deflateRawSync(body));
  return {
    bytes: Buffer.concat([
      fileMeta({ sopClassUid, sopInstanceUid, transferSyntax: image.transferSyntax }),
      body,
    ]),
    patient,
    sopInstanceUid,
    transferSyntax: image.transferSyntax,
    burnedInAnnotation: burnedIn,
    ...tally,
  };
}

function encodingOf(transferSyntax: string): Encoding {
  return {
    explicit: transferSyntax !== implicitLittleEndian,
    bigEndian: transferSyntax === explicitBigEndian,
  };
}

function statedBurnedIn(elements: readonly DataElement[]): "YES" | "NO" | null {
  const element = elements.find(({ tag }) => tag === "00280301");
  const text = Buffer.from(element?.value ?? [])
    .toString("latin1")
    .trim();
  return text === "YES" || text === "NO" ? text : null;
}

/** What the copy says of itself (PS3.15 E.1.1, PS3.3 C.12.1.1 and C.7.1.1). */
function statements(
  patient: string,
  options: {
    readonly keepCharacteristics: boolean;
    readonly pixelsReviewed: boolean;
    readonly burnedIn: "YES" | "NO" | null;
  },
): readonly DataElement[] {
  const codes = [
    dicomCode("113100", "Basic Application Confidentiality Profile"),
    ...(options.pixelsReviewed ? [dicomCode("113101", "Clean Pixel Data Option")] : []),
    dicomCode("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ...(options.keepCharacteristics
      ? [dicomCode("113108", "Retain Patient Characteristics Option")]
      : []),
  ];
  return [
    textElement("00100010", "PN", patient),
    textElement("00100020", "LO", patient),
    textElement("00120062", "CS", "YES"),
    textElement("00120063", "LO", "Silhouette: DICOM PS3.15 annex E, dates moved"),
    { tag: "00120064", vr: "SQ", value: new Uint8Array(0), items: codes },
    textElement("00280303", "CS", "MODIFIED"),
    ...(options.burnedIn === null ? [] : [textElement("00280301", "CS", options.burnedIn)]),
  ];
}

function uidOf(elements: ReadonlyMap<string, DataElement>, tag: string): string {
  return Buffer.from(elements.get(tag)?.value ?? [])
    .toString("latin1")
    .replaceAll("\0", "")
    .trim();
}

/** A file's beginning: an empty preamble and a meta header that is wholly ours (PS3.10 7.1). */
function fileMeta(values: {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
}): Buffer {
  const little = { explicit: true, bigEndian: false };
  // A syntax that is not the standard's can be any text; the parser would have refused its pixels.
  if (!isStandardUid(values.transferSyntax)) throw new Error("The transfer syntax is unknown.");
  const meta = writeElements(
    [
      { tag: "00020001", vr: "OB", value: Uint8Array.of(0, 1), items: null },
      textElement("00020002", "UI", values.sopClassUid),
      textElement("00020003", "UI", values.sopInstanceUid),
      textElement("00020010", "UI", values.transferSyntax),
      textElement("00020012", "UI", implementationClassUid),
      textElement("00020013", "SH", implementationVersion),
    ],
    little,
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const groupLength = writeElements(
    [{ tag: "00020000", vr: "UL", value: length, items: null }],
    little,
  );
  const start = Buffer.alloc(132);
  start.write("DICM", 128, "latin1");
  return Buffer.concat([start, groupLength, meta]);
}

function evenLength(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
}
