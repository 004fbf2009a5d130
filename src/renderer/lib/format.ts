import type { Interval } from "../../shared/comparison.ts";
import * as shared from "../../shared/format.ts";

export { formatCount, formatCounted, formatInterval } from "../../shared/format.ts";

/** What stands where there is no value. */
export const noValue = "–";
const minus = "−";

/** As in the report; a dash where there is no epsilon. Rounded up, never down. */
export function formatEpsilon(epsilon: number | null): string {
  return epsilon === null || Number.isNaN(epsilon) ? noValue : shared.formatEpsilon(epsilon);
}

/** "12 s", "3 min 20 s", "2 h 5 min"; a dash where the time is not known. */
export function formatDuration(seconds: number | null): string {
  return seconds === null || !Number.isFinite(seconds) ? noValue : shared.formatDuration(seconds);
}

/** A rate with the unit of the things counted: "320 files/s"; a dash where it is not known. */
export function formatRate(perSecond: number | null, unit: string): string {
  return perSecond === null || !Number.isFinite(perSecond)
    ? noValue
    : shared.formatRate(perSecond, unit);
}

const superscripts: Readonly<Record<string, string>> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

/** A small probability, such as delta, as a power of ten: 6e-6 → "6 × 10⁻⁶". */
export function formatSmall(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return noValue;
  if (value === 0) return "0";
  if (Math.abs(value) >= 0.001) return trimZeros(value.toPrecision(3));
  const [mantissa = "", exponent = ""] = value.toExponential(1).split("e");
  const raised = exponent.replace(/./g, (character) => superscripts[character] ?? "");
  return `${trimZeros(mantissa)} × 10${raised}`;
}

/** Sigma, a sampling rate or a loss to so many significant digits. */
export function formatFigure(value: number | null, significant = 3): string {
  if (value === null || !Number.isFinite(value)) return noValue;
  if (Math.abs(value) < 0.001) return formatSmall(value);
  if (Math.abs(value) >= 10 ** significant) return shared.formatCount(Math.round(value));
  return trimZeros(value.toPrecision(significant)).replace("-", minus);
}

/** A share between 0 and 1 as a percentage with the digits given. */
export function formatPercent(share: number | null, digits = 1): string {
  if (share === null || !Number.isFinite(share)) return noValue;
  return `${(share * 100).toFixed(digits)} %`;
}

/**
 * A certainty close to 1 with as many digits as tell it from 1, rounded up since it is a bound:
 * 0.99966 → "99.97 %".
 */
export function formatCertainty(share: number): string {
  if (!Number.isFinite(share)) return noValue;
  if (1 - share < 1e-6) return "more than 99.9999 %";
  const digits = Math.max(1, Math.ceil(-Math.log10(1 - share)) - 2);
  const scale = 10 ** digits;
  const up = Math.ceil(share * 100 * scale - 1e-9) / scale;
  return up < 100 ? `${up.toFixed(digits)} %` : formatPercent(share, digits + 1);
}

/** A part of a whole as a percentage; a whole of nothing has no parts. */
export function formatShare(part: number, whole: number, digits = 0): string {
  return whole === 0 ? noValue : formatPercent(part / whole, digits);
}

/** With a sign always, zero excepted: "+0.012", "−0.026". */
export function formatSigned(value: number | null, digits = 3): string {
  if (value === null || !Number.isFinite(value)) return noValue;
  const fixed = value.toFixed(digits);
  if (Number(fixed) === 0) return (0).toFixed(digits);
  return value > 0 ? `+${fixed}` : fixed.replace("-", minus);
}

/** "−0.026 (−0.041 to −0.010)": a dash between signed numbers reads as a minus. */
export function formatSignedInterval(interval: Interval | null, digits = 3): string {
  if (interval === null) return noValue;
  const { estimate, low, high } = interval;
  return `${formatSigned(estimate, digits)} (${formatSigned(low, digits)} to ${formatSigned(high, digits)})`;
}

const moments = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** A timestamp in the workstation's own time zone: "24 Nov 2026, 03:41". */
export function formatMoment(timestamp: string | null): string {
  if (timestamp === null) return noValue;
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? noValue : moments.format(date);
}

/** A DICOM date "20260314" or an ISO date as "2026-03-14". */
export function formatDay(day: string | null): string {
  if (day === null || day === "") return noValue;
  return day.replace(/^(\d{4})-?(\d{2})-?(\d{2}).*$/, "$1-$2-$3");
}

/** The first characters of a pseudonym or run id: enough to tell rows apart on screen. */
export function shorten(identifier: string, characters = 8): string {
  return identifier.slice(0, characters);
}

/** The last part of a path of either kind of operating system. */
export function fileNameOf(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}

/** Rows as CSV text (RFC 4180), for the clipboard. */
export function toCsv(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const quote = (cell: string): string =>
    /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return [header, ...rows].map((row) => row.map(quote).join(",") + "\r\n").join("");
}

function trimZeros(text: string): string {
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

/** The same text, in which no line ends between a number and its percent sign. */
export function keepPercents(text: string): string {
  return text.replaceAll(" %", "\u00a0%");
}
