import { z } from "zod";
import type { Layer } from "./description.ts";

const name = z.string().min(1).max(200);
const count = z.int().min(1).max(1_000_000);
const epsilon = z.number().positive().max(1);
const extent = z.int().min(1).max(1024);
const margin = z.int().min(0).max(1024);
const squareWindow = { kernel: extent, stride: extent, padding: margin };

/** One number for both axes, or [height, width]. */
const extents = (one: z.ZodType<number>) =>
  z.union([one, z.tuple([one, one])], "a whole number, or [height, width], from 0 or 1 to 1024");
const window = { kernel: extents(extent), stride: extents(extent), padding: extents(margin) };
const initialDeviation = z.number().positive().max(1000).optional();

/** The fields of each kind of layer, and no others: a field that is ignored would mislead. */
const shapes = {
  conv2d: z.strictObject({
    kind: z.literal("conv2d"),
    name,
    inputChannels: count,
    outputChannels: count,
    ...window,
    groups: count,
    bias: z.boolean(),
    initialDeviation,
  }),
  standardisedConv2d: z.strictObject({
    kind: z.literal("standardisedConv2d"),
    name,
    inputChannels: count,
    outputChannels: count,
    ...window,
    bias: z.boolean(),
    epsilon,
  }),
  groupNorm: z.strictObject({
    kind: z.literal("groupNorm"),
    name,
    channels: count,
    groups: count,
    epsilon,
  }),
  layerNorm: z.strictObject({ kind: z.literal("layerNorm"), name, channels: count, epsilon }),
  layerScale: z.strictObject({
    kind: z.literal("layerScale"),
    name,
    channels: count,
    initial: z.number().min(-1000).max(1000),
  }),
  activation: z.strictObject({
    kind: z.literal("activation"),
    function: z.enum(["mish", "relu", "silu", "gelu"]),
  }),
  maxPool: z.strictObject({ kind: z.literal("maxPool"), ...squareWindow }),
  averagePool: z.strictObject({ kind: z.literal("averagePool"), ...squareWindow }),
  globalAveragePool: z.strictObject({ kind: z.literal("globalAveragePool") }),
  dense: z.strictObject({
    kind: z.literal("dense"),
    name,
    inputFeatures: count,
    outputFeatures: count,
    initialDeviation,
  }),
  residual: z.strictObject({
    kind: z.literal("residual"),
    body: z.array(z.unknown()),
    shortcut: z.array(z.unknown()),
  }),
} as const satisfies Record<Layer["kind"], z.ZodType>;

/**
 * Layers and settings that must not stand in a privately trained network, and why. The bound on
 * one unit's contribution holds only where the gradient of a unit depends on that unit alone.
 */
const wholeBatch =
  "takes its mean and variance over the whole batch, so one patient's images change every other " +
  "patient's gradient and clipping bounds nothing; use groupNorm";

const mixingKinds: Readonly<Record<string, string>> = {
  batchNorm: `batch normalisation ${wholeBatch}`,
  batchNorm2d: `batch normalisation ${wholeBatch}`,
  syncBatchNorm: `synchronised batch normalisation ${wholeBatch}`,
  ghostBatchNorm: `batch normalisation, of parts of a batch too, ${wholeBatch}`,
  batchRenorm: `batch renormalisation ${wholeBatch}`,
  batchInstanceNorm: `the batch part of this normalisation ${wholeBatch}`,
  batchStandardDeviation:
    "the standard deviation over a batch puts every patient's images into every other patient's " +
    "gradient, so clipping bounds nothing; leave it out",
  contrastive:
    "a contrastive layer compares the examples of a batch with each other, so one unit's " +
    "gradient depends on the others; use a loss of each example by itself",
  batchAttention:
    "attention across the batch lets one patient's images read another's, so one unit's gradient " +
    "depends on the others; attend within an image only",
  memoryBank:
    "a memory of earlier examples carries patients from one step into the next outside of the " +
    "clipped and noised sum, so the guarantee does not cover them; leave it out",
  mixup:
    "mixing examples puts several patients into one gradient, so clipping bounds no patient's " +
    "share; augment each image by itself",
};

const mixingFields: Readonly<Record<string, string>> = {
  runningStatistics:
    "running statistics are gathered over all patients outside of the clipped and noised sum, so " +
    "the guarantee does not cover them; take the statistics of each image by itself",
  overBatch:
    "statistics over the batch make one unit's gradient depend on the others; take them within " +
    "each image",
  overUnits:
    "statistics over several units make one unit's gradient depend on the others; take them " +
    "within each image",
};

/** Other spellings under which the same things come from other programs. */
const otherNames: Readonly<Record<string, string>> = {
  track_running_stats: "runningStatistics",
  trackRunningStats: "runningStatistics",
  minibatchStdDev: "batchStandardDeviation",
  cutmix: "mixup",
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** "conv1: ", or nothing where a layer has no name. */
function labelOf(layer: Record<string, unknown>): string {
  return typeof layer["name"] === "string" ? `${layer["name"]}: ` : "";
}

function shapeProblem(layer: Record<string, unknown>, shape: z.ZodType): string | null {
  const parsed = shape.safeParse(layer);
  if (parsed.success) return null;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "";
  const problem = issue?.message ?? "it is not understood";
  return `${labelOf(layer)}${field === "" ? "" : `${field}: `}${problem}`;
}

/**
 * Why something is no layer, in plain words: it mixes examples, it is of an unknown kind, or its
 * fields are not those of its kind. Null for a layer, whose channels need not fit yet.
 */
export function layerProblem(candidate: unknown): string | null {
  if (!isRecord(candidate) || typeof candidate["kind"] !== "string")
    return "a layer must be an object with its kind";
  const kind = candidate["kind"];
  const label = labelOf(candidate);
  const mixing = mixingKinds[otherNames[kind] ?? kind];
  if (mixing !== undefined) return `${label}${mixing}`;
  for (const [field, value] of Object.entries(candidate)) {
    const reason = mixingFields[otherNames[field] ?? field];
    if (reason !== undefined && value !== false) return `${label}${reason}`;
  }
  const shape = Object.entries(shapes).find(([known]) => known === kind)?.[1];
  if (shape === undefined) return `${label}unknown kind of layer ${kind}`;
  const problem = shapeProblem(candidate, shape);
  if (problem !== null || kind !== "residual") return problem;
  return layersProblem(candidate["body"]) ?? layersProblem(candidate["shortcut"]);
}

function layersProblem(candidates: unknown): string | null {
  if (!Array.isArray(candidates)) return "its layers must be a list";
  for (const candidate of candidates) {
    const problem = layerProblem(candidate);
    if (problem !== null) return problem;
  }
  return null;
}

/** Layers, or why they are none. Whether channels fit is for `defineNetwork`. */
export function checkedLayers(
  candidates: unknown,
): { readonly layers: readonly Layer[] } | { readonly problem: string } {
  const problem = layersProblem(candidates);
  // The schemas above are the type, field for field.
  return problem === null ? { layers: candidates as readonly Layer[] } : { problem };
}
