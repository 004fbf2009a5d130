import { outputExtent } from "../network/description.ts";
import type { GraphBuilder } from "./builder.ts";
import { total } from "./gradients.ts";
import type { Tensor } from "./ir.ts";

/** Below every float that a network reaches, but finite, so that no product of it is NaN. */
const belowAll = -3.4e38;

/** A window that moves along one axis: tensors are [outer * length, inner]. */
export interface AxisGeometry {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

export interface AxisMaximum {
  readonly output: number;
  /** [outer * output, inner] */
  readonly value: Tensor;
  /** From the gradient at the value to that at the input. */
  readonly backward: (gradient: Tensor) => Tensor;
}

/** For each outer and each place the row that `at` names, counted within `rows`; -1 stays. */
function repeatedRows(
  outer: number,
  places: number,
  rows: number,
  at: (place: number) => number,
): Int32Array {
  const result = new Int32Array(outer * places);
  for (let repeat = 0, to = 0; repeat < outer; repeat += 1)
    for (let place = 0; place < places; place += 1, to += 1) {
      const row = at(place);
      result[to] = row < 0 ? -1 : repeat * rows + row;
    }
  return result;
}

/** The rows [outer * output, inner] with those hanging over the edge put below all others. */
function withoutOutside(
  builder: GraphBuilder,
  { outer, inner }: AxisGeometry,
  tap: Tensor,
  outside: readonly boolean[],
): Tensor {
  if (!outside.includes(true)) return tap;
  const output = outside.length;
  // Rows that are repeated must be long to be quick: see folding.ts.
  const [shape, repeats] =
    inner >= 1024 ? [[outer, output, inner], 1] : [[outer, output * inner], inner];
  const penalty = Float32Array.from({ length: output * repeats }, (_, at) =>
    outside[Math.floor(at / repeats)] === true ? belowAll : 0,
  );
  const penaltyShape = repeats === 1 ? [1, output, 1] : [1, output * inner];
  const masked = builder.add(builder.reshape(tap, shape), builder.constant(penaltyShape, penalty));
  return builder.reshape(masked, [outer * output, inner]);
}

/**
 * The maximum under a window along one axis. Taps that share it share its gradient equally: of
 * the valid subgradients one that does not depend on their order. Constant regions (the black
 * border of a film) make such ties common.
 */
export function maximumAlong(
  builder: GraphBuilder,
  geometry: AxisGeometry,
  x: Tensor,
): AxisMaximum {
  const { outer, length, inner, kernel, stride, padding } = geometry;
  const output = outputExtent(length, geometry);
  const taps = Array.from({ length: kernel }, (_, tap) => {
    const places = Array.from({ length: output }, (_, at) => at * stride - padding + tap);
    const inside = (place: number): number => Math.min(Math.max(place, 0), length - 1);
    const rows = repeatedRows(outer, output, length, (at) => inside(places[at] ?? 0));
    const outside = places.map((place) => place !== inside(place));
    return withoutOutside(builder, geometry, builder.gatherRows(x, rows), outside);
  });
  const value = taps.reduce((most, tap) => builder.binary("maximum", most, tap));

  /** The gradients of the places whose position, padding added, leaves this rest. */
  const ofPhase = (contributions: readonly Tensor[], phase: number): Tensor | null => {
    const places = Array.from({ length }, (_, at) => at).filter(
      (at) => (at + padding) % stride === phase,
    );
    if (places.length === 0) return null;
    const parts = contributions.flatMap((contribution, tap) => {
      if (tap % stride !== phase) return [];
      const source = places.map((place) => (place + padding - tap) / stride);
      const rows = source.map((at) => (at >= 0 && at < output ? at : -1));
      if (rows.length === output && rows.every((row, at) => row === at)) return [contribution];
      const all = repeatedRows(outer, places.length, output, (at) => rows[at] ?? -1);
      return [builder.gatherRows(contribution, all)];
    });
    if (parts.length > 0) return total(builder, parts);
    const zeros = new Int32Array(outer * places.length).fill(-1);
    const [any] = contributions;
    if (any === undefined) throw new Error("a window without taps");
    return builder.gatherRows(any, zeros);
  };

  const backward = (gradient: Tensor): Tensor => {
    const reached = taps.map((tap) => builder.binary("equal", tap, value));
    const share = builder.divide(gradient, total(builder, reached));
    const contributions = reached.map((one) => builder.multiply(one, share));
    const phases = Array.from({ length: stride }, (_, phase) => ofPhase(contributions, phase));
    // In the order in which the axis meets them.
    const found = phases.map((_, at) => phases[(at + padding) % stride] ?? null);
    const parts = found.filter((part) => part !== null);
    if (parts.length === stride && length % stride === 0)
      return builder.reshape(builder.concatenate(parts, 1), [outer * length, inner]);
    const offsets: number[] = [];
    let rowsBefore = 0;
    for (const part of found) {
      offsets.push(rowsBefore);
      rowsBefore += part?.shape[0] ?? 0;
    }
    const order = new Int32Array(outer * length);
    for (let repeat = 0; repeat < outer; repeat += 1)
      for (let at = 0; at < length; at += 1) {
        const which = at % stride;
        const perOuter = (found[which]?.shape[0] ?? 0) / outer;
        order[repeat * length + at] =
          (offsets[which] ?? 0) + repeat * perOuter + Math.floor(at / stride);
      }
    return builder.gatherRows(builder.concatenate(parts, 0), order);
  };
  return { output, value, backward };
}
