import type { NoiseShape } from "../privacy/noise.ts";
import { createNoiseFiller } from "../privacy/noise.ts";
import type { RandomStream } from "../privacy/random.ts";

/** Where a private run's noise comes from. */
export interface NoiseSource {
  readonly shape: NoiseShape;
  /**
   * Draws fresh noise for every coordinate of one step. Nothing is drawn before it is asked for:
   * the caller has journaled the step. Calls must not overlap.
   *
   * @returns [parameters] in the shape's units; always the same array, which the next draw
   *   overwrites
   */
  draw(): Promise<Float64Array>;
  close(): Promise<void>;
}

/** Draws on this thread from a stream that the caller holds: for tests and small tools. */
export function noiseFromStream(
  shape: NoiseShape,
  length: number,
  stream: RandomStream,
): NoiseSource {
  const fill = createNoiseFiller(shape);
  const noise = new Float64Array(length);
  return {
    shape,
    draw: () => {
      fill(stream, noise);
      return Promise.resolve(noise);
    },
    close: () => Promise.resolve(),
  };
}
