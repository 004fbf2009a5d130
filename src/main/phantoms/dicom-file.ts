import { createRequire } from "node:module";

import { encodeFrame } from "./encode.ts";
import type { FilmPlan } from "./film.ts";
import type { PhantomImage, PhantomPatient } from "./population.ts";
import { uidFromName } from "./random.ts";
import type { StoredImage } from "./stored-values.ts";
import type { TransferSyntax } from "./transfer-syntax.ts";

type Value = string | number | ArrayBuffer | Elements;
interface Element {
  vr: string;
  Value: Value[];
}
type Elements = Record<string, Element>;

/** What we use of dcmjs, which comes without types. */
interface Dcmjs {
  data: {
    DicomDict: new (meta: Elements) => {
      dict: Elements;
      write(options: { allowInvalidVRLength: boolean; fragmentMultiframe: boolean }): ArrayBuffer;
    };
  };
}

const { data } = createRequire(import.meta.url)("dcmjs") as Dcmjs;

const DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1";
const CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1";
const NOT_A_PATIENT = "SYNTHETIC PHANTOM, NOT A PATIENT";

/** The identifiers of an image, which depend on nothing but the seed and its place. */
export function phantomUids(seed: string, image: PhantomImage) {
  return {
    study: uidFromName(seed, "study", image.studyIndex),
    series: uidFromName(seed, "series", image.studyIndex, image.viewPosition),
    image: uidFromName(seed, "image", image.imageIndex),
  };
}

/** A film as a DICOM file. */
export function phantomFile(
  patient: PhantomPatient,
  image: PhantomImage,
  plan: FilmPlan,
  stored: StoredImage,
  syntax: TransferSyntax,
): Uint8Array {
  const uids = phantomUids(plan.seed, image);
  const sopClass = plan.vendor.modality === "DX" ? DX_FOR_PRESENTATION : CR_STORAGE;
  const elements: Elements = {
    ...identity(patient, image, plan, uids, sopClass),
    ...(plan.vendor.modality === "DX" ? dxModules(image) : {}),
    ...acquisition(image, plan),
    ...pixelModule(plan, stored),
    ...lossyModule(stored, plan, syntax),
  };
  const frame = encodeFrame(stored, plan.columns, plan.rows, syntax);
  const isByte = syntax.coding !== "native" || stored.bitsAllocated === 8;
  elements["7FE00010"] = { vr: isByte ? "OB" : "OW", Value: [evenLength(frame)] };

  const file = new data.DicomDict({
    "00020001": { vr: "OB", Value: [Uint8Array.of(0, 1).buffer] },
    "00020002": ui(sopClass),
    "00020003": ui(uids.image),
    "00020010": ui(syntax.uid),
    "00020012": ui(uidFromName("silhouette", "phantoms", "implementation")),
    "00020013": { vr: "SH", Value: ["SILHOUETTE_PH1"] },
  });
  file.dict = Object.fromEntries(Object.entries(elements).sort(([a], [b]) => (a < b ? -1 : 1)));
  return new Uint8Array(file.write({ allowInvalidVRLength: false, fragmentMultiframe: false }));
}

function identity(
  patient: PhantomPatient,
  image: PhantomImage,
  plan: FilmPlan,
  uids: ReturnType<typeof phantomUids>,
  sopClass: string,
): Elements {
  const { vendor } = plan;
  return {
    "00080005": cs("ISO_IR 100"),
    "00080008": cs("ORIGINAL", "PRIMARY", ""),
    "00080016": ui(sopClass),
    "00080018": ui(uids.image),
    "00080020": { vr: "DA", Value: [image.studyDate] },
    "00080021": { vr: "DA", Value: [image.studyDate] },
    "00080022": { vr: "DA", Value: [image.studyDate] },
    "00080023": { vr: "DA", Value: [image.studyDate] },
    "00080030": { vr: "TM", Value: [image.studyTime] },
    "00080032": { vr: "TM", Value: [image.studyTime] },
    "00080033": { vr: "TM", Value: [image.studyTime] },
    "00080050": {
      vr: "SH",
      Value: [`P${String(patient.index + 1).padStart(6, "0")}-${image.studyIndex + 1}`],
    },
    "00080060": cs(vendor.modality),
    "00080070": lo(vendor.manufacturer),
    "00080080": lo("PHANTOM HOSPITAL"),
    "00080090": { vr: "PN", Value: [""] },
    "00081030": lo("CHEST"),
    "0008103E": lo(NOT_A_PATIENT),
    "00081090": lo(vendor.model),
    "00100010": { vr: "PN", Value: [`SYNTHETIC^${patient.patientId}`] },
    "00100020": lo(patient.patientId),
    "00100030": { vr: "DA", Value: [patient.birthDate] },
    "00100040": cs(patient.sex),
    "00101010": { vr: "AS", Value: [`${String(image.ageYears).padStart(3, "0")}Y`] },
    "0020000D": ui(uids.study),
    "0020000E": ui(uids.series),
    "00200010": { vr: "SH", Value: [String(image.studyIndex + 1)] },
    "00200011": { vr: "IS", Value: [image.viewPosition === "LL" ? "2" : "1"] },
    "00200013": { vr: "IS", Value: [String(image.imageIndex + 1)] },
    "00204000": { vr: "LT", Value: [NOT_A_PATIENT] },
  };
}

/** Attributes that the DX information object requires beyond CR's (PS3.3 A.26). */
function dxModules(image: PhantomImage): Elements {
  const views = {
    PA: ["272479007", "postero-anterior"],
    AP: ["399348003", "antero-posterior"],
    LL: ["399173006", "left lateral"],
  } as const;
  const [code, meaning] = views[image.viewPosition];
  return {
    "00080068": cs("FOR PRESENTATION"),
    "00082218": { vr: "SQ", Value: [codeItem("51185008", "Thorax")] },
    "00187004": cs("SCINTILLATOR"),
    "00400555": { vr: "SQ", Value: [] },
    "00540220": { vr: "SQ", Value: [codeItem(code, meaning)] },
  };
}

function codeItem(code: string, meaning: string): Elements {
  return {
    "00080100": { vr: "SH", Value: [code] },
    "00080102": { vr: "SH", Value: ["SCT"] },
    "00080104": lo(meaning),
  };
}

function acquisition(image: PhantomImage, plan: FilmPlan): Elements {
  const { vendor, exposure } = plan;
  const bedside = image.viewPosition === "AP";
  const spacing = plan.pixelMillimetres.toFixed(5);
  return {
    "00180015": cs("CHEST"),
    "00180060": { vr: "DS", Value: [bedside ? "95" : "125"] },
    "00181000": lo("SYNTHETIC"),
    "00181020": lo(vendor.software),
    "00181030": lo("CHEST SYNTHETIC PHANTOM"),
    "00181110": { vr: "DS", Value: [bedside ? "1100" : "1800"] },
    "00181152": {
      vr: "IS",
      Value: [String(Math.max(1, Math.round(3 * exposure.dose * vendor.dose)))],
    },
    "00181164": { vr: "DS", Value: [spacing, spacing] },
    "00181508": cs("NONE"),
    "00185101": cs(image.viewPosition),
    "00200020": image.viewPosition === "LL" ? cs("P", "F") : cs("L", "F"),
    "00200062": cs("U"),
    ...(vendor.modality === "CR" ? { "00280030": { vr: "DS", Value: [spacing, spacing] } } : {}),
  };
}

function pixelModule(plan: FilmPlan, stored: StoredImage): Elements {
  const elements: Elements = {
    "00280002": us(1),
    "00280004": cs(stored.monochrome1 ? "MONOCHROME1" : "MONOCHROME2"),
    "00280010": us(plan.rows),
    "00280011": us(plan.columns),
    "00280100": us(stored.bitsAllocated),
    "00280101": us(stored.bitsStored),
    "00280102": us(stored.bitsStored - 1),
    "00280103": us(stored.signed ? 1 : 0),
    "00280301": cs("YES"),
    "00281040": cs("LOG"),
    "00281041": { vr: "SS", Value: [stored.monochrome1 ? 1 : -1] },
    "00281052": { vr: "DS", Value: [String(stored.rescaleIntercept)] },
    "00281053": { vr: "DS", Value: [String(stored.rescaleSlope)] },
    "00281054": lo("US"),
    "20500020": cs(stored.monochrome1 ? "INVERSE" : "IDENTITY"),
  };
  if (stored.paddingValue !== undefined) {
    elements["00280120"] = { vr: stored.signed ? "SS" : "US", Value: [stored.paddingValue] };
  }
  if (stored.windows.length > 0) {
    const strings = (pick: (window: StoredImage["windows"][number]) => number | string): string[] =>
      stored.windows.map((window) => String(pick(window)));
    elements["00281050"] = { vr: "DS", Value: strings(({ center }) => center) };
    elements["00281051"] = { vr: "DS", Value: strings(({ width }) => width) };
    elements["00281055"] = { vr: "LO", Value: strings(({ explanation }) => explanation) };
    if (stored.sigmoid) elements["00281056"] = cs("SIGMOID");
  }
  if (stored.voiLut) {
    const { first, values } = stored.voiLut;
    elements["00283010"] = {
      vr: "SQ",
      Value: [
        {
          "00283002": { vr: "US", Value: [values.length, first, 16] },
          "00283003": lo("CHEST CURVE"),
          "00283006": { vr: "OW", Value: [evenLength(new Uint8Array(values.buffer))] },
        },
      ],
    };
  }
  return elements;
}

function lossyModule(stored: StoredImage, plan: FilmPlan, syntax: TransferSyntax): Elements {
  if (syntax.coding !== "jpeg-baseline") return { "00282110": cs("00") };
  const size = (plan.columns * plan.rows * stored.bitsAllocated) / 8;
  const ratio = size / encodeFrame(stored, plan.columns, plan.rows, syntax).length;
  return {
    "00282110": cs("01"),
    "00282112": { vr: "DS", Value: [ratio.toFixed(2)] },
    "00282114": cs("ISO_10918_1"),
  };
}

function evenLength(bytes: Uint8Array): ArrayBuffer {
  const even = new Uint8Array(bytes.length + (bytes.length & 1));
  even.set(bytes);
  return even.buffer;
}

const ui = (value: string): Element => ({ vr: "UI", Value: [value] });
const lo = (value: string): Element => ({ vr: "LO", Value: [value] });
const us = (value: number): Element => ({ vr: "US", Value: [value] });
const cs = (...values: string[]): Element => ({ vr: "CS", Value: values });
