import type { DataSet, Element } from "dicom-parser";
import type { Sex } from "../../shared/subgroups.ts";
import { decodeText } from "./character-set.ts";
import type {
  DicomHeader,
  FilmDescription,
  FilmIdentity,
  LookUpTable,
  PixelHeader,
  VoiLutFunction,
  Window,
} from "./header.ts";
import { implicitLittleEndian } from "./syntaxes.ts";

/** Reads what Silhouette uses from a data set; absent or unreadable attributes become null. */
export function readHeader(dataSet: DataSet): DicomHeader {
  const identity = readIdentity(dataSet);
  return { identity, pixels: readPixels(dataSet), film: readFilm(dataSet, identity) };
}

function readIdentity(dataSet: DataSet): FilmIdentity {
  const characterSets = values(dataSet, "x00080005");
  const text = (tag: string) => nonEmpty(decodeText(bytesOf(dataSet, tag), characterSets));
  return {
    patientId: text("x00100020"),
    issuerOfPatientId: text("x00100021"),
    patientName: text("x00100010"),
    studyInstanceUid: uid(dataSet, "x0020000d"),
    seriesInstanceUid: uid(dataSet, "x0020000e"),
    sopInstanceUid: uid(dataSet, "x00080018"),
    birthDate: date(dataSet, "x00100030"),
    studyDate:
      date(dataSet, "x00080020") ?? date(dataSet, "x00080022") ?? date(dataSet, "x00080021"),
    acquisitionSeconds: seconds(dataSet, "x00080032") ?? seconds(dataSet, "x00080033"),
  };
}

function readPixels(dataSet: DataSet): PixelHeader {
  const bitsAllocated = dataSet.uint16("x00280100") ?? 0;
  const bitsStored = dataSet.uint16("x00280101") ?? bitsAllocated;
  const pixelRepresentation = dataSet.uint16("x00280103") === 1 ? 1 : 0;
  const shape = code(dataSet, "x20500020");
  return {
    transferSyntax: transferSyntaxOf(dataSet),
    rows: dataSet.uint16("x00280010") ?? 0,
    columns: dataSet.uint16("x00280011") ?? 0,
    numberOfFrames: Math.max(1, Math.trunc(numbers(dataSet, "x00280008")[0] ?? 1)),
    samplesPerPixel: dataSet.uint16("x00280002") ?? 1,
    planarConfiguration: dataSet.uint16("x00280006") ?? 0,
    bitsAllocated,
    bitsStored,
    highBit: dataSet.uint16("x00280102") ?? bitsStored - 1,
    pixelRepresentation,
    photometricInterpretation: code(dataSet, "x00280004") ?? "",
    rescaleSlope: nonZero(numbers(dataSet, "x00281053")[0]) ?? 1,
    rescaleIntercept: numbers(dataSet, "x00281052")[0] ?? 0,
    modalityLut: lookUpTable(dataSet, "x00283000", pixelRepresentation),
    voiLut: lookUpTable(dataSet, "x00283010", pixelRepresentation),
    window: firstWindow(dataSet),
    voiLutFunction: voiLutFunction(code(dataSet, "x00281056")),
    presentationLutShape: shape === "INVERSE" || shape === "IDENTITY" ? shape : null,
    padding: padding(dataSet, pixelRepresentation),
  };
}

function readFilm(dataSet: DataSet, identity: FilmIdentity): FilmDescription {
  const burnedIn = code(dataSet, "x00280301");
  const viewCode = dataSet.elements["x00540220"]?.items?.[0]?.dataSet;
  const hints = [
    viewCode === undefined ? "" : values(viewCode, "x00080104").join(" "),
    ...["x0008103e", "x00181030", "x00181400"].map((tag) => values(dataSet, tag).join(" ")),
  ];
  const spacing = [numbers(dataSet, "x00280030"), numbers(dataSet, "x00181164")].find(
    (pair) => pair.length === 2 && pair.every((value) => value > 0),
  );
  return {
    sopClassUid: uid(dataSet, "x00080016"),
    modality: code(dataSet, "x00080060"),
    manufacturer: nonEmpty(decodeText(bytesOf(dataSet, "x00080070"), [])),
    bodyPart: code(dataSet, "x00180015"),
    viewPosition: code(dataSet, "x00185101"),
    viewHints: hints
      .filter((hint) => hint !== "")
      .join(" ")
      .toLowerCase(),
    patientOrientation: values(dataSet, "x00200020").map((value) => value.toUpperCase()),
    laterality: code(dataSet, "x00200062") ?? code(dataSet, "x00200060"),
    imageType: values(dataSet, "x00080008").map((value) => value.toUpperCase()),
    presentationIntent: code(dataSet, "x00080068"),
    burnedInAnnotation: burnedIn === "YES" ? true : burnedIn === "NO" ? false : null,
    qualityControl: code(dataSet, "x00280300") === "YES",
    sex: sexOf(code(dataSet, "x00100040")),
    ageYears: ageOf(code(dataSet, "x00101010"), identity),
    pixelSpacingMillimetres:
      spacing === undefined ? null : { row: spacing[0] ?? 1, column: spacing[1] ?? 1 },
  };
}

function transferSyntaxOf(dataSet: DataSet): string {
  const element: (Element & { readonly Value?: string }) | undefined =
    dataSet.elements["x00020010"];
  if (element?.Value !== undefined) return element.Value;
  return uid(dataSet, "x00020010") ?? implicitLittleEndian;
}

function sexOf(value: string | null): Sex | null {
  return value === "F" || value === "M" || value === "O" ? value : null;
}

const daysPerYear = 365.2425;

/**
 * Age at the study in whole years (with a fraction below two): from birth date and study date
 * where both are known, since Patient's Age is often a default, else from Patient's Age.
 */
export function ageOf(
  patientAge: string | null,
  dates: { readonly birthDate: string | null; readonly studyDate: string | null },
): number | null {
  if (dates.birthDate !== null && dates.studyDate !== null) {
    const days = (Date.parse(dates.studyDate) - Date.parse(dates.birthDate)) / 86_400_000;
    const years = wholeYears(dates.birthDate, dates.studyDate);
    if (days >= 0 && years < 130) return years < 2 ? round2(days / daysPerYear) : years;
  }
  const parts = /^(\d{1,3})([DWMY])$/.exec(patientAge ?? "");
  if (parts === null) return null;
  const count = Number(parts[1]);
  const unit = parts[2];
  const years =
    unit === "Y"
      ? count
      : unit === "M"
        ? count / 12
        : unit === "W"
          ? (count * 7) / daysPerYear
          : count / daysPerYear;
  return years < 2 ? round2(years) : Math.floor(years);
}

function wholeYears(from: string, to: string): number {
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4));
  return to.slice(5) < from.slice(5) ? years - 1 : years;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function voiLutFunction(value: string | null): VoiLutFunction {
  return value === "SIGMOID" || value === "LINEAR_EXACT" ? value : "LINEAR";
}

function firstWindow(dataSet: DataSet): Window | null {
  const center = numbers(dataSet, "x00281050")[0];
  const width = numbers(dataSet, "x00281051")[0];
  return center === undefined || width === undefined || width <= 0 ? null : { center, width };
}

function padding(
  dataSet: DataSet,
  pixelRepresentation: 0 | 1,
): { readonly low: number; readonly high: number } | null {
  const read = (tag: string) =>
    pixelRepresentation === 1 ? dataSet.int16(tag) : dataSet.uint16(tag);
  const value = read("x00280120");
  if (value === undefined) return null;
  const limit = read("x00280121") ?? value;
  return { low: Math.min(value, limit), high: Math.max(value, limit) };
}

/** The first item of a modality or VOI LUT sequence; null where absent or inconsistent. */
function lookUpTable(
  dataSet: DataSet,
  tag: string,
  pixelRepresentation: 0 | 1,
): LookUpTable | null {
  const item = dataSet.elements[tag]?.items?.[0]?.dataSet;
  const descriptor = item?.elements["x00283002"];
  const data = item?.elements["x00283006"];
  if (item === undefined || descriptor === undefined || data === undefined) return null;
  const count = item.uint16("x00283002", 0);
  const bits = item.uint16("x00283002", 2);
  // Implicit VR does not say whether the first mapped value is signed; the pixels do.
  const signed = descriptor.vr === "SS" || (descriptor.vr !== "US" && pixelRepresentation === 1);
  const first = signed ? item.int16("x00283002", 1) : item.uint16("x00283002", 1);
  if (count === undefined || bits === undefined || first === undefined) return null;
  if (bits < 8 || bits > 16) return null;
  const entryCount = count === 0 ? 65536 : count;
  const entries = new Uint16Array(entryCount);
  if (data.length >= entryCount * 2) {
    for (let i = 0; i < entryCount; i++) entries[i] = item.uint16("x00283006", i) ?? 0;
  } else if (data.length >= entryCount) {
    for (let i = 0; i < entryCount; i++) entries[i] = item.byteArray[data.dataOffset + i] ?? 0;
  } else {
    return null;
  }
  return { firstMapped: first, bits, entries };
}

function bytesOf(dataSet: DataSet, tag: string): Uint8Array {
  const element = dataSet.elements[tag];
  if (element === undefined || element.length > 65536) return new Uint8Array(0);
  return dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
}

/** The values of an attribute of single-byte text, trimmed. */
function values(dataSet: DataSet, tag: string): readonly string[] {
  const text = decodeText(bytesOf(dataSet, tag), []);
  return text === "" ? [] : text.split("\\").map((value) => value.trim());
}

function code(dataSet: DataSet, tag: string): string | null {
  return nonEmpty(values(dataSet, tag)[0]?.toUpperCase() ?? "");
}

function uid(dataSet: DataSet, tag: string): string | null {
  return nonEmpty(decodeText(bytesOf(dataSet, tag), []));
}

function numbers(dataSet: DataSet, tag: string): readonly number[] {
  return values(dataSet, tag)
    .map((value) => (value === "" ? Number.NaN : Number(value)))
    .filter((value) => Number.isFinite(value));
}

function date(dataSet: DataSet, tag: string): string | null {
  const parts = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(values(dataSet, tag)[0] ?? "");
  if (parts === null) return null;
  const iso = `${parts[1]}-${parts[2]}-${parts[3]}`;
  return Number.isNaN(Date.parse(iso)) ? null : iso;
}

function seconds(dataSet: DataSet, tag: string): number | null {
  const parts = /^(\d{2}):?(\d{2}):?(\d{2})?/.exec(values(dataSet, tag)[0] ?? "");
  return parts === null
    ? null
    : Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3] ?? 0);
}

function nonEmpty(value: string): string | null {
  return value === "" ? null : value;
}

function nonZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}
