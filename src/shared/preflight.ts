import { z } from "zod";

/** One measurement of the check before a private run. */
export const preflightCheckSchema = z.object({
  /** What was measured, in words: a heading of a table's row. */
  title: z.string(),
  measured: z.number().nullable(),
  /** The least and the most that pass; null where there is no such bound. */
  least: z.number().nullable(),
  most: z.number().nullable(),
  passed: z.boolean(),
});
export type PreflightCheck = z.infer<typeof preflightCheckSchema>;

/**
 * What every private run measures before its first step, on its own sampler, noise, engine and
 * network, with made-up units: no patient's film is read, so it costs no privacy.
 */
export const preflightSchema = z.object({
  passed: z.boolean(),
  checks: z.array(preflightCheckSchema),
});
export type Preflight = z.infer<typeof preflightSchema>;

/** A measurement and what would have passed, in words: "0.9998", "0.99 to 1.01". */
export function describeCheck(check: PreflightCheck): {
  readonly measured: string;
  readonly allowed: string;
} {
  const { measured, least, most } = check;
  const number = (value: number | null): string =>
    value === null ? "not a number" : String(Number(value.toPrecision(4))).replace("-", "−");
  const allowed =
    least === null
      ? `at most ${number(most)}`
      : most === null
        ? `at least ${number(least)}`
        : `${number(least)} to ${number(most)}`;
  return { measured: number(measured), allowed };
}
