import { readFileSync } from "node:fs";
import { z } from "zod";

const epsilonRow = z.object({
  accountant: z.enum(["rdp", "pld"]),
  imagesPerPatient: z.number().default(1),
  samplingRate: z.number(),
  noiseMultiplier: z.number(),
  steps: z.number(),
  delta: z.number(),
  epsilon: z.number(),
  /** Absolute; 0.1 % of the value where the row gives none. */
  tolerance: z.number().optional(),
  source: z.string(),
});
const calibrationRow = epsilonRow.omit({ imagesPerPatient: true });
const auditRow = z.object({
  canaries: z.number(),
  guesses: z.number(),
  correct: z.number(),
  delta: z.number(),
  confidence: z.number(),
  epsilonLowerBound: z.number(),
  source: z.string(),
});

/** Published values of accountants, calibration and audit, each with its source. */
export const golden = z
  .object({
    epsilon: z.array(epsilonRow),
    calibration: z.array(calibrationRow),
    audit: z.array(auditRow),
  })
  .parse(JSON.parse(readFileSync(new URL("accountant-values.json", import.meta.url), "utf8")));
