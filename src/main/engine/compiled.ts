import { UserError } from "../../shared/errors.ts";
import { sizeOf } from "../graph/ir.ts";
import { arrange, sizeInside, type ParameterFeed } from "../graph/layout.ts";
import {
  clippingFeeds,
  graphNames,
  inferenceGraph,
  ordinaryGraph,
  privateGraph,
  type StepGraph,
} from "../graph/step.ts";
import type { NetworkDescription } from "../network/description.ts";
import type {
  ClippedSum,
  Clipping,
  CompiledNetwork,
  OrdinaryGradient,
  UnitBatch,
} from "./engine.ts";
import { checkBatch, fillPiece, piecesOf, type Piece } from "./microbatch.ts";
import type { Prepare, Program } from "./program.ts";
import { GradientTotals } from "./totals.ts";

type StepKind = "private" | "ordinary" | "inference";

interface Prepared {
  readonly step: StepGraph;
  readonly program: Program;
  /** Every input that is not a parameter. */
  readonly feeds: ReadonlyMap<string, Float32Array>;
}

interface PieceRun {
  readonly kind: StepKind;
  readonly weights: Float32Array;
  readonly batch: UnitBatch;
  readonly piece: Piece;
  /** Units of the piece that are left out. */
  readonly left?: ReadonlySet<number>;
  readonly numbers?: Readonly<Record<string, number>>;
}

function resultOf(outputs: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const result = outputs.get(name);
  if (result === undefined) throw new Error(`the graph gave no ${name}`);
  return result;
}

/**
 * A network on any engine: cuts batches into micro-batches of fixed size, fills the last one up
 * with units that count for nothing, and adds up the results.
 */
export class MicrobatchedNetwork implements CompiledNetwork {
  readonly network: NetworkDescription;
  readonly parameterCount: number;
  private readonly resolutionPixels: number;
  /** Units computed at once, given the images of one unit. */
  private readonly unitsAtOnce: (views: number) => number;
  private readonly prepare: Prepare;
  private readonly prepared = new Map<string, Promise<Prepared>>();
  private readonly parameterArrays = new Map<string, Float32Array>();
  private readonly arranged = new Set<string>();
  private busy = false;
  private disposed = false;

  constructor(
    network: NetworkDescription,
    resolutionPixels: number,
    unitsAtOnce: (views: number) => number,
    prepare: Prepare,
  ) {
    this.network = network;
    this.parameterCount = network.parameterCount;
    this.resolutionPixels = resolutionPixels;
    this.unitsAtOnce = unitsAtOnce;
    this.prepare = prepare;
  }

  async infer(weights: Float32Array, images: Float32Array, count: number): Promise<Float32Array> {
    const labels = new Float32Array(count * this.network.labels);
    const batch = { units: count, views: 1, images, labels };
    return this.exclusively(weights, batch, async () => {
      const logits = new Float32Array(labels.length);
      for (const piece of this.pieces(batch)) {
        const { outputs } = await this.runPiece({ kind: "inference", weights, batch, piece });
        const part = resultOf(outputs, graphNames.logits);
        logits.set(
          part.subarray(0, piece.units * this.network.labels),
          piece.first * this.network.labels,
        );
      }
      return logits;
    });
  }

  async clippedSum(
    weights: Float32Array,
    batch: UnitBatch,
    clipping: Clipping,
  ): Promise<ClippedSum> {
    if (!Number.isFinite(clipping.norm) || clipping.norm <= 0)
      throw new UserError(
        "input",
        `The clipping norm must be a positive number; ${clipping.norm} is not.`,
      );
    const numbers = clippingFeeds(clipping);
    return this.exclusively(weights, batch, async () => {
      const norms = new Float32Array(batch.units);
      const losses = new Float32Array(batch.units);
      const totals = new GradientTotals();
      let nonFinite = 0;
      for (const piece of this.pieces(batch)) {
        const left = new Set<number>();
        for (;;) {
          const run = { kind: "private", weights, batch, piece, left, numbers } as const;
          const { step, outputs } = await this.runPiece(run);
          const pieceNorms = resultOf(outputs, graphNames.norms);
          const pieceLosses = resultOf(outputs, graphNames.losses);
          let spoilt = false;
          for (let unit = 0; unit < piece.units; unit += 1) {
            if (left.has(unit)) continue;
            const norm = pieceNorms[unit] ?? NaN;
            norms[piece.first + unit] = Number.isFinite(norm) ? norm : NaN;
            losses[piece.first + unit] = pieceLosses[unit] ?? NaN;
            if (Number.isFinite(norm)) continue;
            spoilt = true;
            left.add(unit);
            nonFinite += 1;
          }
          // One unit that is not finite spoils the sum of its micro-batch (0 times NaN is NaN),
          // so the micro-batch is computed again without it.
          if (spoilt) continue;
          totals.add(step, outputs);
          break;
        }
      }
      return { sum: totals.flat(this.parameterCount), norms, losses, nonFinite };
    });
  }

  async ordinaryGradient(weights: Float32Array, batch: UnitBatch): Promise<OrdinaryGradient> {
    return this.exclusively(weights, batch, async () => {
      const losses = new Float32Array(batch.units);
      const totals = new GradientTotals();
      for (const piece of this.pieces(batch)) {
        const { step, outputs } = await this.runPiece({ kind: "ordinary", weights, batch, piece });
        losses.set(resultOf(outputs, graphNames.losses).subarray(0, piece.units), piece.first);
        totals.add(step, outputs);
      }
      const gradient = totals.flat(this.parameterCount, 1 / Math.max(1, batch.units));
      return { gradient, losses };
    });
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    // Releasing a session while it runs aborts the process.
    if (this.busy) throw new Error("a network cannot be disposed of while it computes");
    this.disposed = true;
    for (const pending of this.prepared.values()) await (await pending).program.dispose();
    this.prepared.clear();
  }

  private pieces(batch: UnitBatch): Piece[] {
    return piecesOf(batch.units, this.unitsAtOnce(batch.views));
  }

  private async exclusively<T>(
    weights: Float32Array,
    batch: UnitBatch,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.disposed) throw new Error("the network was disposed of");
    if (this.busy) throw new Error("two calculations of one network overlap");
    if (weights.length !== this.parameterCount)
      throw new Error(`${weights.length} weights for ${this.parameterCount} parameters`);
    checkBatch(this.network, this.resolutionPixels, batch);
    this.busy = true;
    // The caller may have changed its weights since the last call.
    this.arranged.clear();
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }

  private async runPiece(
    run: PieceRun,
  ): Promise<{ step: StepGraph; outputs: ReadonlyMap<string, Float32Array> }> {
    const { step, program, feeds } = await this.preparedFor(
      run.kind,
      run.piece.size,
      run.batch.views,
    );
    fillPiece(feeds, step.imageFeeds, run.batch, run.piece, run.left ?? new Set());
    for (const [name, value] of Object.entries(run.numbers ?? {})) feeds.get(name)?.fill(value);
    const all = new Map(feeds);
    for (const feed of step.parameterFeeds)
      all.set(feed.input, this.parameterArray(run.weights, feed));
    return { step, outputs: await program.run(all) };
  }

  private preparedFor(kind: StepKind, units: number, views: number): Promise<Prepared> {
    const key = `${kind} ${units}x${views}`;
    const known = this.prepared.get(key);
    if (known !== undefined) return known;
    const making = this.prepareStep(kind, units, views, `${this.network.name} ${key}`);
    this.prepared.set(key, making);
    return making;
  }

  private async prepareStep(
    kind: StepKind,
    units: number,
    views: number,
    label: string,
  ): Promise<Prepared> {
    const { network, resolutionPixels } = this;
    const shape = { resolutionPixels, units, views };
    const step =
      kind === "private"
        ? privateGraph(network, shape)
        : kind === "ordinary"
          ? ordinaryGraph(network, shape)
          : inferenceGraph(network, { resolutionPixels, images: units });
    const parameters = new Set(step.parameterFeeds.map((feed) => feed.input));
    const feeds = new Map<string, Float32Array>();
    for (const operation of step.graph.operations)
      if (operation.kind === "input" && !parameters.has(operation.name))
        feeds.set(operation.name, new Float32Array(sizeOf(operation.output.shape)));
    return { step, program: await this.prepare(step, label), feeds };
  }

  /** The parameter in the layout of a graph, arranged once for each call from outside. */
  private parameterArray(weights: Float32Array, feed: ParameterFeed): Float32Array {
    let array = this.parameterArrays.get(feed.input);
    if (array === undefined) {
      array = new Float32Array(sizeInside(feed.parameter, feed.layout));
      this.parameterArrays.set(feed.input, array);
    }
    if (!this.arranged.has(feed.input)) {
      arrange(weights, feed.parameter, feed.layout, array);
      this.arranged.add(feed.input);
    }
    return array;
  }
}
