import type { Interval } from "./comparison.ts";

/** "0.912 (0.890–0.931)", or an en dash where the estimate is undefined. */
export function formatInterval(interval: Interval | null, digits = 3): string {
  if (interval === null) return "–";
  const { estimate, low, high } = interval;
  return `${formatNumber(estimate, digits)} (${formatNumber(low, digits)}–${formatNumber(high, digits)})`;
}

/** A number with a fixed count of decimals and a true minus sign. */
export function formatNumber(value: number, digits: number): string {
  return value.toFixed(digits).replace("-", "−");
}

/** Epsilon to three significant digits: "7.89", "0.291", "∞". Rounded up, never down. */
export function formatEpsilon(epsilon: number): string {
  if (!Number.isFinite(epsilon)) return "∞";
  if (epsilon === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(epsilon)));
  const scale = 10 ** digits;
  // The tolerance keeps 8 from becoming 8.01 through a last bit.
  return (Math.ceil(epsilon * scale * (1 - 1e-12)) / scale).toFixed(digits);
}

/** Delta as "6e-6" or "1.2e-5". */
export function formatDelta(delta: number): string {
  return delta.toExponential().replace("e-0", "e-");
}

/** "12 s", "3 min 20 s", "2 h 5 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    const rest = whole % 60;
    return rest === 0 || minutes >= 10 ? `${minutes} min` : `${minutes} min ${rest} s`;
  }
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1,234". */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** A count with its noun: "1 patient", "3 patients". The plural defaults to the noun with an s. */
export function formatCounted(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : plural}`;
}

/** "312/s", "4.2/s" or "12/min". */
export function formatRate(perSecond: number, unit: string): string {
  if (perSecond >= 10) return `${formatCount(Math.round(perSecond))} ${unit}/s`;
  if (perSecond >= 0.5) return `${perSecond.toFixed(1)} ${unit}/s`;
  return `${(perSecond * 60).toFixed(1)} ${unit}/min`;
}
