import type { PreflightCheck } from "../../../shared/preflight.ts";
import type { Clipping, CompiledNetwork, UnitBatch } from "../../engine/engine.ts";
import type { RandomStream } from "../../privacy/random.ts";
import { check } from "./bounds.ts";

/** What the rounding of an engine may add to a length: it weakens sigma by as much at most. */
const lengthTolerance = 1e-4;
/** Makes any gradient longer than the bound, so that clipping has work to do. */
const shorter = 1e-4;

/** Made-up units; the films of patients are not touched. */
export interface MadeUpUnits {
  /**
   * A unit of noise; one of a million times the brightness, whose labels are the opposite of what
   * the network says, so that its gradient is long; one of NaN.
   */
  readonly plain: UnitBatch;
  readonly huge: UnitBatch;
  readonly broken: UnitBatch;
}

interface UnitShape {
  readonly resolutionPixels: number;
  readonly views: number;
  readonly labelCount: number;
}

/** @param weights those at which the units are used */
export async function makeUpUnits(
  network: CompiledNetwork,
  weights: Float32Array,
  stream: RandomStream,
  { resolutionPixels, views, labelCount }: UnitShape,
): Promise<MadeUpUnits> {
  const unit = (image: () => number): UnitBatch => ({
    units: 1,
    views,
    images: Float32Array.from({ length: views * resolutionPixels ** 2 }, image),
    labels: Float32Array.from({ length: labelCount }, () => stream.word() & 1),
  });
  const huge = unit(() => 1e6 * stream.uniform());
  // A network that is sure and happens to be right has no gradient, and clipping nothing to do.
  const logits = await network.infer(weights, huge.images, views);
  return {
    plain: unit(() => stream.uniform()),
    huge: { ...huge, labels: huge.labels.map((_, label) => ((logits[label] ?? 0) > 0 ? 0 : 1)) },
    broken: unit(() => NaN),
  };
}

/** The units of several batches as one batch. */
export function together(batches: readonly UnitBatch[]): UnitBatch {
  const joined = (pick: (batch: UnitBatch) => Float32Array): Float32Array => {
    const values = new Float32Array(batches.reduce((sum, batch) => sum + pick(batch).length, 0));
    let at = 0;
    for (const batch of batches) {
      values.set(pick(batch), at);
      at += pick(batch).length;
    }
    return values;
  };
  return {
    units: batches.reduce((sum, batch) => sum + batch.units, 0),
    views: batches[0]?.views ?? 1,
    images: joined((batch) => batch.images),
    labels: joined((batch) => batch.labels),
  };
}

/**
 * Measures what units contribute to the sum through the compiled network: each alone, one more
 * beside others, and with a bound so small that every gradient exceeds it.
 */
export async function checkClipping(
  network: CompiledNetwork,
  weights: Float32Array,
  clipping: Clipping,
  units: MadeUpUnits,
): Promise<PreflightCheck[]> {
  const sumOf = async (batch: UnitBatch, by = clipping, at = weights): Promise<Float32Array> =>
    (await network.clippedSum(at, batch, by)).sum;
  const { plain, huge, broken } = units;
  const lengths: number[] = [];
  for (const unit of [plain, huge]) lengths.push(lengthOf(await sumOf(unit)));
  lengths.push(
    lengthOf(
      await sumOf(
        huge,
        clipping,
        weights.map((weight) => 8 * weight),
      ),
    ),
  );
  const small = { ...clipping, norm: shorter * clipping.norm };
  const shortened = lengthOf(await sumOf(plain, small));
  const without = lengthOf(await sumOf(broken));
  const pair = await sumOf(together([plain, huge]));
  const all = await sumOf(together([plain, broken, huge]));
  const C = clipping.norm;
  const most = 1 + lengthTolerance;
  return [
    check("Longest contribution of a unit, over C", largest(lengths) / C, { most }),
    check("Contribution where every gradient is too long, over C", shortened / small.norm, {
      most,
    }),
    check("Contribution of a unit that is not finite, over C", without / C, { most }),
    check("Change of a sum by a unit that is not finite, over C", differenceOf(all, pair) / C, {
      most,
    }),
    check("Change of a sum by a unit more, over C", differenceOf(pair, await sumOf(plain)) / C, {
      most: most + lengthTolerance,
    }),
  ];
}

export function lengthOf(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i += 1) squares += (values[i] ?? NaN) ** 2;
  return Math.sqrt(squares);
}

function differenceOf(a: Float32Array, b: Float32Array): number {
  return lengthOf(Float64Array.from(a, (value, i) => value - (b[i] ?? NaN)));
}

/** NaN where any is NaN. */
function largest(values: readonly number[]): number {
  return Math.max(...values);
}
