import type { Interval } from "../../shared/comparison.ts";
import { raised } from "./layout/text.ts";

/** What stands where nothing could be computed. */
export const undefinedMark = "–";

/** A minus sign as wide as a plus, in place of the hyphen. */
function typographic(text: string): string {
  return text.replace(/^-/u, "−");
}

/** "0.912", "−0.031". */
export function decimals(value: number, digits: number): string {
  const text = value.toFixed(digits);
  // A value that rounds to nothing has no sign.
  return typographic(Number(text) === 0 ? (0).toFixed(digits) : text);
}

/** "0.912 (0.890–0.931)": an estimate with its interval. */
export function estimate(interval: Interval | null): string {
  if (interval === null) return undefinedMark;
  const { estimate: value, low, high } = interval;
  return `${decimals(value, 3)} (${decimals(low, 3)}–${decimals(high, 3)})`;
}

/** "0.038 (0.012 to 0.061)": with "to", since a difference may be negative. */
export function difference(interval: Interval | null): string {
  if (interval === null) return undefinedMark;
  const { estimate: value, low, high } = interval;
  return `${decimals(value, 3)} (${decimals(low, 3)} to ${decimals(high, 3)})`;
}

/** A difference on two lines, for a table of several: the estimate above its interval. */
export function stackedDifference(interval: Interval | null): string {
  return difference(interval).replace(" (", "\n(");
}

/** "12,345". */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** "7.89"; small values with three significant digits. */
export function epsilonText(value: number): string {
  return value < 0.1 && value > 0 ? String(Number(value.toPrecision(3))) : value.toFixed(2);
}

/** "1 × 10⁻⁵" with a raised exponent; plain digits from 0.001 on. */
export function scientific(value: number): string {
  if (value >= 0.001) return String(Number(value.toPrecision(3)));
  const [mantissa = "", exponent = ""] = value.toExponential(2).split("e");
  const shown = String(Number(mantissa));
  return `${shown} × 10${raised(typographic(String(Number(exponent))))}`;
}

/** "0.02041": enough digits for a rate to be used in a recalculation. */
export function rate(value: number): string {
  return String(Number(value.toPrecision(5)));
}

/** "62.4 %"; with more digits where rounding would make a certainty of less than one. */
export function percent(value: number, digits = 0): string {
  let text = (100 * value).toFixed(digits);
  for (let more = digits + 1; Number(text) === 100 && value < 1 && more < 12; more += 1) {
    text = (100 * value).toFixed(more);
  }
  return `${text} %`;
}

/** "2026-11-24 04:05 UTC" from an ISO time. */
export function timeText(timestamp: string | null): string {
  if (timestamp === null) return undefinedMark;
  return `${timestamp.slice(0, 10)} ${timestamp.slice(11, 16)} UTC`;
}
