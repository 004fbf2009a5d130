/** The slider's range. The study's grid is 0.29 to 7.89; above 20 a guarantee says next to nothing. */
export const epsilonRange = { low: 0.1, high: 20 } as const;

/** Positions of the slider; equal steps are equal ratios of epsilon. */
export const sliderPositions = 400;

const logLow = Math.log(epsilonRange.low);
const logSpan = Math.log(epsilonRange.high) - logLow;

/** The slider's position (0 to `sliderPositions`) nearest to an epsilon, clamped to the range. */
export function positionOfEpsilon(epsilon: number): number {
  if (!(epsilon > 0)) return 0;
  const share = (Math.log(epsilon) - logLow) / logSpan;
  return Math.round(Math.min(1, Math.max(0, share)) * sliderPositions);
}

/**
 * The epsilon at a slider position, rounded to what a person would write down: two decimals below
 * 1 and three significant digits above, so that the number shown is the number used.
 */
export function epsilonAtPosition(position: number): number {
  const share = Math.min(1, Math.max(0, position / sliderPositions));
  const exact = Math.exp(logLow + share * logSpan);
  return exact < 1 ? Math.round(exact * 100) / 100 : Number(exact.toPrecision(3));
}

/**
 * Reads a typed epsilon; a comma serves as decimal point as on German keyboards. Null where it is
 * not a positive number. Values outside the slider's range are allowed: the range is a convenience.
 */
export function parseEpsilon(text: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value : null;
}

/** Marks under the slider: epsilon and its share of the track, 0 to 1. */
export const epsilonMarks = [0.1, 0.3, 1, 3, 10, 20].map((epsilon) => ({
  epsilon,
  share: (Math.log(epsilon) - logLow) / logSpan,
}));
