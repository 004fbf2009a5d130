import type { LookUpTable, PixelHeader, Window } from "./header.ts";

/** A function from modality units to the display's range, 0 (dark) to 1 (bright). */
export type Shading = (value: number) => number;

/** PS3.3 C.11.2.1.2.1: LINEAR, the default. */
export function linear({ center, width }: Window): Shading {
  const middle = center - 0.5;
  const span = width - 1;
  return (value) => {
    if (value <= middle - span / 2) return 0;
    if (value > middle + span / 2) return 1;
    return (value - middle) / span + 0.5;
  };
}

/** PS3.3 C.11.2.1.3.2: LINEAR_EXACT. */
export function linearExact({ center, width }: Window): Shading {
  return (value) => {
    if (value <= center - width / 2) return 0;
    if (value > center + width / 2) return 1;
    return (value - center) / width + 0.5;
  };
}

/** PS3.3 C.11.2.1.3.1: SIGMOID. */
export function sigmoid({ center, width }: Window): Shading {
  return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
}

/** PS3.3 C.11.2.1.1: a VOI LUT; its outermost entries hold beyond its ends. */
export function voiLut(table: LookUpTable): Shading {
  const highest = 2 ** table.bits - 1;
  return (value) => Math.min(1, lookUp(table, Math.round(value)) / highest);
}

function lookUp({ entries, firstMapped }: LookUpTable, value: number): number {
  const index = Math.min(entries.length - 1, Math.max(0, value - firstMapped));
  return entries[index] ?? 0;
}

/** PS3.3 C.11.1: stored value to modality units, by table or by slope and intercept. */
export function modalityTransform(header: PixelHeader): (stored: number) => number {
  const { modalityLut, rescaleSlope, rescaleIntercept } = header;
  if (modalityLut !== null) return (stored) => lookUp(modalityLut, stored);
  return (stored) => stored * rescaleSlope + rescaleIntercept;
}

/** The shading that the file asks for; null where it leaves the choice to the viewer. */
export function statedShading(header: PixelHeader): Shading | null {
  // Where a file has both, the table is the vendor's own rendering and the window a fallback.
  if (header.voiLut !== null) return voiLut(header.voiLut);
  if (header.window === null) return null;
  if (header.voiLutFunction === "SIGMOID") return sigmoid(header.window);
  if (header.voiLutFunction === "LINEAR_EXACT") return linearExact(header.window);
  return header.window.width >= 1 ? linear(header.window) : null;
}

/**
 * The modality values between which the stated shading is a straight line from black to white; null
 * where the file states none, "curve" where it is no straight line.
 */
export function statedRange(
  header: PixelHeader,
): { readonly low: number; readonly high: number } | "curve" | null {
  const { voiLut, window, voiLutFunction } = header;
  if (voiLut !== null) return "curve";
  if (window === null) return null;
  if (voiLutFunction === "SIGMOID") return "curve";
  const exact = voiLutFunction === "LINEAR_EXACT";
  if (!exact && window.width < 1) return null;
  const middle = exact ? window.center : window.center - 0.5;
  const span = exact ? window.width : window.width - 1;
  return { low: middle - span / 2, high: middle + span / 2 };
}

/** Whether the display has to be turned over: once, however often the file says so. */
export function isInverted(header: PixelHeader): boolean {
  return (
    header.photometricInterpretation === "MONOCHROME1" || header.presentationLutShape === "INVERSE"
  );
}
