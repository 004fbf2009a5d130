import { totalmem } from "node:os";
import { UserError } from "../../shared/errors.ts";
import { operandsOf, sizeOf, type Graph, type Operation } from "../graph/ir.ts";
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

/** Values that an engine needs beside an operation's inputs and output while it computes. */
function scratchValues(operation: Operation): number {
  switch (operation.kind) {
    case "gatherRows": {
      // Rows to be filled are taken from behind a copy of the input.
      const [source] = operation.inputs;
      return operation.rows.includes(-1) ? sizeOf(source.shape) : 0;
    }
    case "convolution":
      // Maps are put into blocks of channels, and taken out of them.
      return sizeOf(operation.inputs[0].shape) + sizeOf(operation.output.shape);
    default:
      return 0;
  }
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
      peak = Math.max(peak, now + 4 * scratchValues(operation));
    }
    for (const id of ending.get(at) ?? []) now -= sizes.get(id) ?? 0;
  });
  return peak;
}

/** What a network needs, in bytes: fixed, and for each image computed at once. */
export interface MemoryNeed {
  readonly fixedBytes: number;
  readonly bytesPerImage: number;
}

/** How graphs are built for an engine, whatever the network and the memory; see graph/context.ts. */
export interface EngineManner {
  readonly direct: boolean;
  readonly wholeImages: boolean;
}

/** How a graph is built, as in graph/context.ts. */
export interface Arrangement extends EngineManner {
  readonly sparing: boolean;
  readonly recomputing: boolean;
}

/**
 * What the tensors of a private step need, from the graphs of one image and of two; from that of one
 * alone where it takes more than `enoughBytes` already, and all is counted as the image's own then.
 */
export function memoryNeed(
  network: NetworkDescription,
  resolutionPixels: number,
  arrangement: Partial<Arrangement> = {},
  enoughBytes = Infinity,
): MemoryNeed {
  const needOf = (units: number): number =>
    peakBytes(privateGraph(network, { ...arrangement, resolutionPixels, views: 1, units }).graph);
  const one = needOf(1);
  if (one > enoughBytes) return { fixedBytes: 0, bytesPerImage: one };
  const bytesPerImage = Math.max(needOf(2) - one, 1);
  return { fixedBytes: Math.max(one - bytesPerImage, 0), bytesPerImage };
}

/** What tensors may take where memory is plentiful: more brings no more speed. */
const mostTensorBytes = 400 * 2 ** 20;
/** An allocator's pieces do not fit seamlessly, and one or two more graphs are kept for remainders. */
const overhead = 2;
/** More at once brings hardly more speed, whatever the network. */
const mostImages = 32;
/** Below this a product's rows are so few that windows laid out twice cost less than they do. */
const fewestImages = 4;

/** How a network is computed in the memory at hand. */
export interface MemoryPlan extends Arrangement {
  /** Images computed at once. */
  readonly images: number;
}

function tensorRoom(freeBytes: number): number {
  return Math.min(mostTensorBytes, freeBytes / 2 / overhead);
}

function fits({ fixedBytes, bytesPerImage }: MemoryNeed, images: number, room: number): boolean {
  return fixedBytes + images * bytesPerImage <= room;
}

function fittingImages({ fixedBytes, bytesPerImage }: MemoryNeed, room: number): number {
  const fitting = Math.floor((room - fixedBytes) / bytesPerImage);
  // Batches are mostly powers of two, and leave no remainder then.
  return 2 ** Math.floor(Math.log2(Math.min(mostImages, Math.max(1, fitting))));
}

/** The arrangements of a graph, from the quickest to that which takes least memory. */
function arrangements(manner: EngineManner): readonly [Arrangement, Arrangement, Arrangement] {
  const plain = { sparing: false, recomputing: false, ...manner };
  const sparing = { ...plain, sparing: true };
  return [plain, sparing, { ...sparing, recomputing: true }];
}

/**
 * The plan where the caller does not say how much is computed at once: as many images as keep a
 * micro-batch's tensors within `mostTensorBytes` and within half of the free memory, and a sparing
 * graph where these would be few, which computes again what lies between matrix products where even
 * one image would not fit.
 */
export function defaultMemoryPlan(
  network: NetworkDescription,
  resolutionPixels: number,
  manner: EngineManner,
  freeBytes = freeMemoryBytes(),
): MemoryPlan {
  const room = tensorRoom(freeBytes);
  const [plain, sparing, recomputing] = arrangements(manner);
  const needOf = (arrangement: Arrangement): MemoryNeed =>
    memoryNeed(network, resolutionPixels, arrangement, room);
  const planOf = (arrangement: Arrangement, need: MemoryNeed): MemoryPlan => ({
    ...arrangement,
    images: fittingImages(need, room),
  });
  const ofPlain = needOf(plain);
  if (fits(ofPlain, fewestImages, room)) return planOf(plain, ofPlain);
  const ofSparing = needOf(sparing);
  if (fits(ofSparing, 1, room)) return planOf(sparing, ofSparing);
  return planOf(recomputing, needOf(recomputing));
}

/** What of a plan an engine computes by. */
export interface MicrobatchPlan extends Arrangement {
  /** Units computed at once, given the images of one unit. */
  readonly unitsAtOnce: (views: number) => number;
}

/**
 * How a network is cut into micro-batches. Throws UserError ("input") for a micro-batch that is not
 * a positive whole number.
 */
export function microbatchPlan(
  network: NetworkDescription,
  options: CompileOptions,
  manner: EngineManner,
): MicrobatchPlan {
  const { microbatch, resolutionPixels } = options;
  if (microbatch === null) {
    const { images, ...arrangement } = defaultMemoryPlan(network, resolutionPixels, manner);
    return { ...arrangement, unitsAtOnce: (views) => Math.max(1, Math.floor(images / views)) };
  }
  if (!Number.isInteger(microbatch) || microbatch < 1)
    throw new UserError("input", `A micro-batch of ${microbatch} units is not possible.`);
  const room = tensorRoom(freeMemoryBytes());
  const [plain, sparing, recomputing] = arrangements(manner);
  const fitting = [plain, sparing].find((arrangement) =>
    fits(memoryNeed(network, resolutionPixels, arrangement, room), microbatch, room),
  );
  return { ...(fitting ?? recomputing), unitsAtOnce: () => microbatch };
}
