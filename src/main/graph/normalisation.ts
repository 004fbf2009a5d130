import type { GroupNormLayer } from "../network/description.ts";
import { byUnit, parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import {
  folded,
  foldedRow,
  foldingOf,
  groupMatrices,
  sumOfFold,
  sumOfRows,
  unfolded,
} from "./folding.ts";
import { standing } from "./gradients.ts";
import type { Tensor } from "./ir.ts";

/**
 * Group normalisation (Wu and He 2018, arXiv 1803.08494) of maps [images, pixels, channels]:
 * each image's groups of neighbouring channels get mean 0 and variance 1, then each channel its
 * factor and offset. Nothing crosses from one image to another.
 *
 * Sums over pixels come first and sums over a group's channels after, on small tensors; the
 * variance is taken about the mean, since the mean of squares less the squared mean cancels.
 */
export function groupNormalisation(
  context: Context,
  layer: GroupNormLayer,
  flow: Flow,
): LayerResult {
  const { builder } = context;
  const folding = foldingOf(flow.tensor);
  const { pixels, channels } = folding;
  const { groups } = layer;
  const count = (pixels * channels) / groups;
  const matrices = groupMatrices(builder, folding, groups);

  /** Sums of a folded row [images, 1, fold * channels] over groups: [images, 1, groups]. */
  const overGroups = (sums: Tensor): Tensor =>
    builder.matrixProduct(sums, matrices.toGroups(1 / count));
  /** A number for each group [images, 1, groups] given to each place of a folded row. */
  const rowOf = (perGroup: Tensor): Tensor => builder.matrixProduct(perGroup, matrices.toRow());

  const perChannel = [1, 1, channels];
  const factor = parameterInput(context, `${layer.name}.weight`, { kind: "flat" }, perChannel);
  const offset = parameterInput(context, `${layer.name}.bias`, { kind: "flat" }, perChannel);
  const maps = folded(builder, folding, flow.tensor);
  const mean = overGroups(sumOfRows(builder, folding, maps));
  const centred = builder.subtract(maps, rowOf(mean));
  const squares = builder.multiply(centred, centred);
  const variance = overGroups(sumOfRows(builder, folding, squares));
  const inverse = builder.divide(
    builder.scalar(1, 3),
    builder.unary("squareRoot", builder.add(variance, builder.scalar(layer.epsilon, 3))),
  );
  const scale = builder.multiply(rowOf(inverse), foldedRow(builder, folding, factor));
  const value = builder.add(builder.multiply(centred, scale), foldedRow(builder, folding, offset));

  return {
    flow: { ...flow, tensor: unfolded(builder, folding, value) },
    backward: (unfoldedGradient, needsInput) => {
      const gradient = folded(builder, folding, unfoldedGradient);
      const offsetGradient = sumOfFold(builder, folding, sumOfRows(builder, folding, gradient));
      const products = sumOfRows(builder, folding, builder.multiply(gradient, centred));
      const inverseOfChannels = builder.matrixProduct(inverse, matrices.toChannels());
      const factorGradient = builder.multiply(
        sumOfFold(builder, folding, products),
        inverseOfChannels,
      );
      for (const [part, perImage] of [
        ["weight", factorGradient],
        ["bias", offsetGradient],
      ] as const)
        context.parameterGradients.push({
          parameter: `${layer.name}.${part}`,
          layout: { kind: "flat" },
          gradients: standing(builder, builder.reduce("sum", byUnit(context, perImage), 1)),
        });
      if (!needsInput) return null;
      // d/dx = scale dy - inverse (mean(factor dy) + normalised mean(factor dy normalised))
      const meanOf = (perImage: Tensor): Tensor =>
        builder.matrixProduct(
          builder.multiply(perImage, factor),
          matrices.channelsToGroups(1 / count),
        );
      const slope = builder.multiply(builder.multiply(inverse, inverse), meanOf(factorGradient));
      const correction = builder.add(
        builder.multiply(centred, rowOf(slope)),
        rowOf(builder.multiply(inverse, meanOf(offsetGradient))),
      );
      return unfolded(
        builder,
        folding,
        builder.subtract(builder.multiply(gradient, scale), correction),
      );
    },
  };
}
