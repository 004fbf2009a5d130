import { COLLIMATED } from "./film.ts";
import type { Vendor } from "./vendors.ts";

/** A film as a vendor stores it. */
export interface StoredImage {
  bitsAllocated: 8 | 16;
  bitsStored: number;
  signed: boolean;
  monochrome1: boolean;
  /** Little-endian stored values. */
  pixels: Uint8Array;
  rescaleIntercept: number;
  rescaleSlope: number;
  /** In rescaled values; several where the vendor offers several. */
  windows: { center: number; width: number; explanation: string }[];
  sigmoid: boolean;
  voiLut?: { first: number; values: Uint16Array };
  paddingValue?: number;
}

const LUT_LENGTH = 4096;
/** Steepness that spreads the brightness curve over a look-up table or a sigmoid window. */
const LOGIT_REACH = 5.6;

/**
 * Codes brightness (0 black, 1 white, COLLIMATED outside the beam) as the vendor's stored values,
 * such that a conforming display shows that brightness again.
 */
export function storeFilm(brightness: Float32Array, vendor: Vendor): StoredImage {
  const full = 2 ** vendor.bitsStored - 1;
  const offset = vendor.signed ? 2 ** (vendor.bitsStored - 1) : 0;
  const hasPadding = vendor.windowing !== "none" && vendor.modality === "CR";
  const lut = vendor.windowing === "voi lut" ? curveTable(full) : undefined;
  const logistic = lut !== undefined || vendor.windowing === "sigmoid";
  const low = lut
    ? lut.first
    : logistic
      ? 0.02 * full
      : vendor.windowing === "none"
        ? 0
        : 0.06 * full;
  const span = lut
    ? LUT_LENGTH - 1
    : logistic
      ? 0.96 * full
      : vendor.windowing === "none"
        ? full
        : 0.8 * full;
  const padding = vendor.monochrome1 ? full : 0;

  const bitsAllocated = vendor.bitsStored === 8 ? 8 : 16;
  const pixels = new Uint8Array(brightness.length * (bitsAllocated / 8));
  const words = bitsAllocated === 16 ? new Uint16Array(pixels.buffer) : undefined;
  for (let at = 0; at < brightness.length; at++) {
    const shown = brightness[at] ?? 0;
    let value: number;
    if (shown === COLLIMATED && hasPadding) {
      value = padding;
    } else {
      let level = shown < 0 ? 0 : shown > 1 ? 1 : shown;
      if (vendor.monochrome1) level = 1 - level;
      if (logistic) {
        const clipped = level < 0.0037 ? 0.0037 : level > 0.9963 ? 0.9963 : level;
        level = 0.5 + Math.log(clipped / (1 - clipped)) / (2 * LOGIT_REACH);
      }
      value = Math.round(low + span * level);
    }
    if (words) words[at] = value - offset;
    else pixels[at] = value;
  }

  const slope = vendor.rescaleSlope;
  const center = slope * (low + 0.5 * span);
  const windows = {
    window: [{ center, width: slope * span, explanation: "NORMAL" }],
    "two windows": [
      { center, width: slope * span, explanation: "NORMAL" },
      { center: 0.95 * center, width: 0.75 * slope * span, explanation: "HARDER" },
    ],
    sigmoid: [{ center, width: (4 * slope * span) / (2 * LOGIT_REACH), explanation: "SIGMOID" }],
    "voi lut": [],
    none: [],
  }[vendor.windowing];
  return {
    bitsAllocated,
    bitsStored: vendor.bitsStored,
    signed: vendor.signed,
    monochrome1: vendor.monochrome1,
    pixels,
    rescaleIntercept: offset * slope,
    rescaleSlope: slope,
    windows: windows.map((window) => ({
      ...window,
      center: Math.round(window.center * 10) / 10,
      width: Math.round(window.width * 10) / 10,
    })),
    sigmoid: vendor.windowing === "sigmoid",
    ...(lut ? { voiLut: lut } : {}),
    ...(hasPadding ? { paddingValue: padding - offset } : {}),
  };
}

/** A logistic look-up table of 4,096 entries of 16 bits that starts above zero. */
function curveTable(full: number): { first: number; values: Uint16Array } {
  const values = new Uint16Array(LUT_LENGTH);
  for (let entry = 0; entry < LUT_LENGTH; entry++) {
    const centred = (entry / (LUT_LENGTH - 1) - 0.5) * 2 * LOGIT_REACH;
    values[entry] = Math.round(65535 / (1 + Math.exp(-centred)));
  }
  return { first: Math.min(1000, full - LUT_LENGTH + 1), values };
}
