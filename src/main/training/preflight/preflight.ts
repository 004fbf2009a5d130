import { keysOf } from "../../../shared/findings.ts";
import { UserError } from "../../../shared/errors.ts";
import { schemeOf, type TrainingPlan } from "../../../shared/plan.ts";
import { describeCheck, type Preflight, type PreflightCheck } from "../../../shared/preflight.ts";
import type { CompiledNetwork } from "../../engine/engine.ts";
import type { RandomStream } from "../../privacy/random.ts";
import type { WeightsMemory } from "../kernel/kernel.ts";
import type { NoiseSource } from "../noise-source.ts";
import { privateGradient, type PrivateMechanism } from "../private-gradient.ts";
import { check, chiSquareBounds } from "./bounds.ts";
import { checkClipping, makeUpUnits, together, type MadeUpUnits } from "./clipping.ts";
import { checkNoise } from "./noise.ts";
import { checkSampling } from "./sampling.ts";

/** The parts of a run that are checked: the very ones that it trains with. */
export interface CheckedParts {
  readonly plan: TrainingPlan;
  readonly mechanism: PrivateMechanism;
  readonly network: CompiledNetwork;
  /** With the weights at which the run begins; its gradient and noise are overwritten. */
  readonly memory: WeightsMemory;
  readonly noise: NoiseSource;
  /** The units of one step, as the run draws them. */
  readonly drawUnits: () => Uint32Array;
  /** Units from which it draws. */
  readonly units: number;
  /** For the made-up units. */
  readonly stream: RandomStream;
}

/**
 * Checks a private run before its first step. Nothing of a patient is read and nothing released,
 * so it costs no privacy; its noise belongs to no step.
 */
export async function preflight(parts: CheckedParts): Promise<Preflight> {
  const { plan, mechanism, network, noise } = parts;
  const { weights } = parts.memory;
  const { resolutionPixels, viewsPerUnit } = plan.recipe;
  const units = await makeUpUnits(network, weights, parts.stream, {
    resolutionPixels,
    views: viewsPerUnit,
    labelCount: keysOf(schemeOf(plan)).length,
  });
  const checks = [
    ...checkSampling(parts.drawUnits, parts.units, plan.samplingRate),
    ...(await checkNoise(noise, network.parameterCount, sumDeviation(mechanism))),
    ...(await checkClipping(network, weights, mechanism.clipping, units)),
    await checkStep(parts, units),
    check("Divisor, over sampling rate times units", mechanism.divisor / expectedUnits(plan), {
      least: 1 - 1e-9,
      most: 1 + 1e-9,
    }),
  ];
  return { passed: checks.every(({ passed }) => passed), checks };
}

/** @throws UserError that names what failed. */
export function requirePassed(result: Preflight, plan: TrainingPlan): void {
  const failed = result.checks.filter(({ passed }) => !passed);
  if (failed.length === 0) return;
  throw new UserError(
    "conflict",
    "The check before the run failed, so no step was taken and " +
      (plan.privacy?.classCounts === undefined
        ? "nothing was spent. "
        : "nothing but the class counts was spent. ") +
      `${failed.map(sentenceOf).join(" ")} This engine or this installation cannot be trusted ` +
      "with private training: choose another engine, and report what is shown here.",
  );
}

function sentenceOf(failed: PreflightCheck): string {
  const { measured, allowed } = describeCheck(failed);
  return `${failed.title}: measured ${measured}, expected ${allowed}.`;
}

/** sigma C. */
function sumDeviation({ gradientDeviation, divisor }: PrivateMechanism): number {
  return gradientDeviation * divisor;
}

function expectedUnits({ samplingRate, units }: TrainingPlan): number {
  return samplingRate * units;
}

/**
 * Takes the gradient of a step on made-up units as the run does, and measures what it holds beside
 * the clipped sum: noise of sigma C that was really added, and the divisor.
 */
async function checkStep(parts: CheckedParts, units: MadeUpUnits): Promise<PreflightCheck> {
  const { mechanism, network, memory, noise, plan } = parts;
  const batch = together([units.plain, units.huge]);
  const { sum } = await network.clippedSum(memory.weights, batch, mechanism.clipping);
  const { gradient } = await privateGradient(memory, batch, network, mechanism, noise);
  let squares = 0;
  gradient.forEach((value, i) => {
    squares += (value * expectedUnits(plan) - (sum[i] ?? NaN)) ** 2;
  });
  const measured = Math.sqrt(squares / gradient.length) / sumDeviation(mechanism);
  const { least, most } = chiSquareBounds(gradient.length);
  // The divided gradient is rounded to single precision, and so is the sum that it is held against.
  return check("Noise found in the gradient of a step, over sigma C", measured, {
    least: 0.999 * Math.sqrt(least),
    most: 1.001 * Math.sqrt(most),
  });
}
