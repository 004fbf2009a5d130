import type { PhantomStyle } from "./population.ts";
import type { RandomStream } from "./random.ts";

/** How stored values are meant to be shown. */
export type Windowing = "window" | "two windows" | "sigmoid" | "voi lut" | "none";

/** The habits of one (fictional) maker's machine. */
export interface Vendor {
  manufacturer: string;
  model: string;
  software: string;
  modality: "DX" | "CR";
  bitsStored: number;
  monochrome1: boolean;
  signed: boolean;
  rescaleSlope: number;
  windowing: Windowing;
  /** Contrast of the tone curve around its middle. */
  contrast: number;
  /** Middle of the tone curve as a share of the log exposure range. */
  middle: number;
  /** Share of the slow changes that the processing takes out. */
  compression: number;
  /** Weight of the unsharp mask. */
  sharpening: number;
  /** Quanta relative to a usual dose. */
  dose: number;
  /** Scatter-to-primary ratio after the grid. */
  scatter: number;
  /** Columns over rows that its cassettes come in. */
  aspects: readonly number[];
  collimated: number;
  weight: number;
}

const base = {
  signed: false,
  rescaleSlope: 1,
  monochrome1: false,
  sharpening: 0.35,
  scatter: 0.35,
  collimated: 0.2,
} as const;

const STYLE_A: readonly Vendor[] = [
  {
    ...base,
    manufacturer: "Lumenray Imaging",
    model: "Aurora DX-400",
    software: "4.2.1",
    modality: "DX",
    bitsStored: 12,
    windowing: "window",
    contrast: 1.0,
    middle: 0.5,
    compression: 0.34,
    dose: 1.1,
    aspects: [1, 0.82, 1.2],
    weight: 0.3,
  },
  {
    ...base,
    manufacturer: "Kestrel Medical",
    model: "FlatOne 17",
    software: "R7",
    modality: "DX",
    bitsStored: 14,
    windowing: "voi lut",
    contrast: 1.08,
    middle: 0.52,
    compression: 0.4,
    dose: 1.3,
    aspects: [1, 1.2],
    weight: 0.22,
  },
  {
    ...base,
    manufacturer: "Nordlicht Roentgen",
    model: "Polaris C",
    software: "VB12",
    modality: "CR",
    bitsStored: 10,
    monochrome1: true,
    windowing: "window",
    contrast: 0.94,
    middle: 0.49,
    compression: 0.25,
    dose: 0.65,
    sharpening: 0.2,
    scatter: 0.45,
    aspects: [0.82, 1, 1.2],
    collimated: 0.4,
    weight: 0.18,
  },
  {
    ...base,
    manufacturer: "Halcyon Radiographic",
    model: "HR Plate 2",
    software: "2.10",
    modality: "CR",
    bitsStored: 12,
    signed: true,
    windowing: "two windows",
    contrast: 0.97,
    middle: 0.52,
    compression: 0.28,
    dose: 0.7,
    scatter: 0.42,
    aspects: [0.82, 1.2],
    collimated: 0.35,
    weight: 0.14,
  },
  {
    ...base,
    manufacturer: "Lumenray Imaging",
    model: "Aurora DX-900",
    software: "6.0.0",
    modality: "DX",
    bitsStored: 15,
    monochrome1: true,
    windowing: "sigmoid",
    contrast: 1.05,
    middle: 0.5,
    compression: 0.42,
    dose: 1.5,
    aspects: [1],
    weight: 0.1,
  },
  {
    ...base,
    manufacturer: "Brightwater Systems",
    model: "BW Portable",
    software: "1.8",
    modality: "CR",
    bitsStored: 16,
    rescaleSlope: 0.25,
    windowing: "none",
    contrast: 0.9,
    middle: 0.47,
    compression: 0.2,
    dose: 0.55,
    sharpening: 0.15,
    scatter: 0.6,
    aspects: [1, 1.2],
    collimated: 0.5,
    weight: 0.06,
  },
];

const STYLE_B: readonly Vendor[] = [
  {
    ...base,
    manufacturer: "Fernhill Diagnostics",
    model: "Clarion 2000",
    software: "3.3",
    modality: "DX",
    bitsStored: 12,
    windowing: "window",
    contrast: 1.15,
    middle: 0.46,
    compression: 0.48,
    sharpening: 0.6,
    dose: 1.6,
    scatter: 0.25,
    aspects: [1, 0.9],
    collimated: 0.1,
    weight: 0.5,
  },
  {
    ...base,
    manufacturer: "Sundance X-ray",
    model: "Mesa CR",
    software: "1.0",
    modality: "CR",
    bitsStored: 12,
    monochrome1: true,
    windowing: "none",
    contrast: 0.85,
    middle: 0.55,
    compression: 0.12,
    sharpening: 0,
    dose: 0.4,
    scatter: 0.65,
    aspects: [0.82],
    collimated: 0.6,
    weight: 0.3,
  },
  {
    ...base,
    manufacturer: "Fernhill Diagnostics",
    model: "Clarion 3000",
    software: "4.1",
    modality: "DX",
    bitsStored: 16,
    windowing: "window",
    contrast: 1.0,
    middle: 0.5,
    compression: 0.55,
    sharpening: 0.8,
    dose: 1.8,
    scatter: 0.2,
    aspects: [1.2],
    weight: 0.2,
  },
];

export function vendorsOf(style: PhantomStyle): readonly Vendor[] {
  return style === "b" ? STYLE_B : STYLE_A;
}

export function drawVendor(random: RandomStream, style: PhantomStyle): Vendor {
  const vendors = vendorsOf(style);
  const vendor = vendors[random.weighted(vendors.map(({ weight }) => weight))] ?? vendors[0];
  if (!vendor) throw new RangeError(`No vendor for style "${style}".`);
  return vendor;
}
