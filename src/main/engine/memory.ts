import { totalmem } from "node:os";
import { UserError } from "../../shared/errors.ts";
import { operandsOf, sizeOf, type Graph } from "../graph/ir.ts";
import { privateGraph } from "../graph/step.ts";
import type { NetworkDescription } from "../network/description.ts";
import type { CompileOptions } from "./engine.ts";

/** What this process may use at most: the machine's memory, or its control group's limit. */
export function usableMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** What is free now for this process. */
function freeMemoryBytes(): number {
  return process.availableMemory();
}

/**
 * The most that tensors of a graph take at one time, in bytes, when each is freed after its last
 * use and the operations run in their order. A reshape shares its input's memory.
 */
export function peakBytes(graph: Graph): number {
  const root = new Map<number, number>();
  const rootOf = (id: number): number => root.get(id) ?? id;
  for (const operation of graph.operations)
    if (operation.kind === "reshape") root.set(operation.output.id, rootOf(operation.inputs[0].id));
  const lastUse = new Map<number, number>();
  graph.operations.forEach((operation, at) => {
    for (const { id } of operandsOf(operation)) lastUse.set(rootOf(id), at);
  });
  for (const { id } of graph.outputs.values()) lastUse.set(rootOf(id), graph.operations.length);
  const ending = new Map<number, number[]>();
  for (const [id, at] of lastUse) ending.set(at, [...(ending.get(at) ?? []), id]);
  const sizes = new Map<number, number>();
  let now = 0;
  let peak = 0;
  graph.operations.forEach((operation, at) => {
    if (operation.kind !== "reshape") {
      const bytes = 4 * sizeOf(operation.output.shape);
      sizes.set(operation.output.id, bytes);
      now += bytes;
      peak = Math.max(peak, now);
    }
    for (const id of ending.get(at) ?? []) now -= sizes.get(id) ?? 0;
  });
  return peak;
}

const mostMeasuredPixels = 64;

/** What a network needs, in bytes: fixed, and for each image computed at once. */
export interface MemoryNeed {
  readonly fixedBytes: number;
  readonly bytesPerImage: number;
}

/** @param sparing whether windows are laid out twice instead of being kept (see graph/context.ts) */
export function memoryNeed(
  network: NetworkDescription,
  resolutionPixels: number,
  sparing = false,
): MemoryNeed {
  // Maps grow with the pixels; a graph of many pixels takes seconds to build only to be measured.
  const measuredPixels = Math.min(resolutionPixels, mostMeasuredPixels);
  const growth = (resolutionPixels / measuredPixels) ** 2;
  const shape = { resolutionPixels: measuredPixels, views: 1, sparing };
  const needOf = (units: number): number =>
    peakBytes(privateGraph(network, { ...shape, units }).graph);
  const one = needOf(1);
  const measured = Math.max(needOf(2) - one, 1);
  const bytesPerImage = growth === 1 ? measured : 1.1 * growth * measured;
  return { fixedBytes: Math.max(one - measured, 0), bytesPerImage };
}

/** What tensors may take where memory is plentiful: more brings no more speed. */
const mostTensorBytes = 400 * 2 ** 20;
/** An allocator's pieces do not fit seamlessly, and a second graph is kept for remainders. */
const overhead = 2;
/** More at once brings no more speed, whatever the network. */
const mostImages = 16;
/** Below this a product's rows are so few that windows laid out twice cost less than they do. */
const fewestImages = 4;

/** How a network is computed in the memory at hand. */
export interface MemoryPlan {
  /** Images computed at once. */
  readonly images: number;
  /** As in graph/context.ts. */
  readonly sparing: boolean;
}

function tensorRoom(freeBytes: number): number {
  return Math.min(mostTensorBytes, freeBytes / 2 / overhead);
}

function fittingImages({ fixedBytes, bytesPerImage }: MemoryNeed, freeBytes: number): number {
  const room = tensorRoom(freeBytes) - fixedBytes;
  const fitting = Math.min(mostImages, Math.max(1, Math.floor(room / bytesPerImage)));
  // Batches are mostly powers of two, and leave no remainder then.
  return 2 ** Math.floor(Math.log2(fitting));
}

/**
 * The plan where the caller does not say how much is computed at once: as many images as keep a
 * micro-batch's tensors within `mostTensorBytes` and within half of the free memory, and a sparing
 * graph where these would be few.
 */
export function defaultMemoryPlan(
  network: NetworkDescription,
  resolutionPixels: number,
  freeBytes = freeMemoryBytes(),
): MemoryPlan {
  const images = fittingImages(memoryNeed(network, resolutionPixels), freeBytes);
  if (images >= fewestImages) return { images, sparing: false };
  const need = memoryNeed(network, resolutionPixels, true);
  return { images: fittingImages(need, freeBytes), sparing: true };
}

/** What of a plan an engine computes by. */
export interface MicrobatchPlan {
  /** Units computed at once, given the images of one unit. */
  readonly unitsAtOnce: (views: number) => number;
  readonly sparing: boolean;
}

/**
 * How a network is cut into micro-batches. Throws UserError ("input") for a micro-batch that is not
 * a positive whole number.
 */
export function microbatchPlan(
  network: NetworkDescription,
  options: CompileOptions,
): MicrobatchPlan {
  const { microbatch, resolutionPixels } = options;
  if (microbatch === null) {
    const { images, sparing } = defaultMemoryPlan(network, resolutionPixels);
    return { unitsAtOnce: (views) => Math.max(1, Math.floor(images / views)), sparing };
  }
  if (!Number.isInteger(microbatch) || microbatch < 1)
    throw new UserError("input", `A micro-batch of ${microbatch} units is not possible.`);
  const { fixedBytes, bytesPerImage } = memoryNeed(network, resolutionPixels);
  const sparing = fixedBytes + microbatch * bytesPerImage > tensorRoom(freeMemoryBytes());
  return { unitsAtOnce: () => microbatch, sparing };
}
