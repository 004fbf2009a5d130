import { messageOf, UserError } from "../../shared/errors.ts";
import { sizeOf } from "../graph/ir.ts";
import {
  clippingFeeds,
  graphNames,
  inferenceGraph,
  ordinaryGraph,
  privateGraph,
  type StepGraph,
} from "../graph/step.ts";
import type { NetworkDescription } from "../network/description.ts";
import { Device, freeKept, type DeviceKind } from "./device.ts";
import type {
  ClippedSum,
  Clipping,
  CompiledNetwork,
  DeviceTraffic,
  OrdinaryGradient,
  UnitBatch,
} from "./engine.ts";
import { isMemoryExhausted } from "./exhaustion.ts";
import type { MicrobatchPlan } from "./memory.ts";
import { checkBatch, fillPiece, nextPiece, type Piece } from "./microbatch.ts";
import { ParametersInArrays, ParametersOnDevice, type ArrangedParameters } from "./parameters.ts";
import { resultOf, type Prepare, type Program, type Value } from "./program.ts";
import { TotalsInArrays, TotalsOnDevice, type GradientTotals } from "./totals.ts";

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
  /** Powers of two by which units of the piece are magnified; 1 where there is none. */
  readonly magnified?: ReadonlyMap<number, number>;
}

interface PieceResult {
  readonly step: StepGraph;
  readonly outputs: ReadonlyMap<string, Value>;
}

export interface MicrobatchedOptions extends MicrobatchPlan {
  readonly network: NetworkDescription;
  readonly resolutionPixels: number;
  readonly prepare: Prepare;
  /** Where `prepare`'s programs compute; "none" where left out. */
  readonly device?: DeviceKind;
  /** As in CompileOptions. */
  readonly positiveWeights?: readonly number[] | null;
  /** Told in words of what was changed on the way, such as a smaller micro-batch. */
  readonly report?: (line: string) => void;
  /** Called before each micro-batch; may throw to end the calculation. */
  readonly interrupt?: () => void;
}

/**
 * By which power of two a unit must be magnified before its squared norm fits into float32; null
 * where it fits already, or where nothing will help. A norm may come out infinite, or NaN as the
 * difference of two infinities, although the gradient is finite.
 */
function magnificationFor(norm: number, loss: number): number | null {
  if (!Number.isFinite(loss)) return null;
  if (!Number.isFinite(norm)) return 2 ** -64;
  return norm > 0 && norm < 2 ** -40 ? 2 ** 80 : null;
}

/**
 * A network on any engine: cuts batches into micro-batches of fixed size, fills the last one up
 * with units that count for nothing, and adds up the results. Where memory does not suffice, the
 * micro-batch is halved and the same units are computed again: the result does not depend on the
 * cut, and nothing of a failed micro-batch was added.
 */
export class MicrobatchedNetwork implements CompiledNetwork {
  readonly network: NetworkDescription;
  readonly parameterCount: number;
  private readonly options: MicrobatchedOptions;
  private readonly prepare: Prepare;
  private readonly device: Device | null;
  private readonly prepared = new Map<string, Promise<Prepared>>();
  private readonly keeping: boolean;
  private readonly parameters: ArrangedParameters;
  private readonly totals: GradientTotals;
  /** Most images at once, after memory has run out. */
  private mostImages = Infinity;
  private busy = false;
  private disposed = false;

  constructor(options: MicrobatchedOptions) {
    const { network, device = "none" } = options;
    this.options = options;
    this.network = network;
    this.parameterCount = network.parameterCount;
    this.device = device === "none" ? null : new Device();
    this.prepare = this.device?.watching(options.prepare) ?? options.prepare;
    this.keeping = device === "keeping";
    this.parameters = new (this.keeping ? ParametersOnDevice : ParametersInArrays)(
      this.prepare,
      network.name,
    );
    this.totals = new (this.keeping ? TotalsOnDevice : TotalsInArrays)(this.prepare, network.name);
  }

  get traffic(): DeviceTraffic | undefined {
    return this.device?.traffic;
  }

  async infer(weights: Float32Array, images: Float32Array, count: number): Promise<Float32Array> {
    const labels = new Float32Array(count * this.network.labels);
    const batch = { units: count, views: 1, images, labels };
    return this.exclusively(weights, batch, async () => {
      const logits = new Float32Array(labels.length);
      await this.eachPiece(batch, async (piece) => {
        const { outputs } = await this.runPiece({ kind: "inference", weights, batch, piece });
        const part = resultOf(outputs, graphNames.logits);
        logits.set(
          part.subarray(0, piece.units * this.network.labels),
          piece.first * this.network.labels,
        );
      });
      return logits;
    });
  }

  async clippedSum(
    weights: Float32Array,
    batch: UnitBatch,
    clipping: Clipping,
    into = new Float32Array(this.parameterCount),
  ): Promise<ClippedSum> {
    if (!Number.isFinite(clipping.norm) || clipping.norm <= 0)
      throw new UserError(
        "input",
        `The clipping norm must be a positive number; ${clipping.norm} is not.`,
      );
    const numbers = clippingFeeds(clipping);
    this.checkLength(into);
    return this.exclusively(weights, batch, async () => {
      const norms = new Float32Array(batch.units);
      const losses = new Float32Array(batch.units);
      let nonFinite = 0;
      this.totals.begin();
      await this.eachPiece(batch, async (piece) => {
        const left = new Set<number>();
        const magnified = new Map<number, number>();
        for (;;) {
          const run = { kind: "private", weights, batch, piece, left, magnified, numbers } as const;
          const { step, outputs } = await this.runPiece(run);
          const pieceNorms = resultOf(outputs, graphNames.norms);
          const pieceLosses = resultOf(outputs, graphNames.losses);
          const before = left.size + magnified.size;
          for (let unit = 0; unit < piece.units; unit += 1) {
            if (left.has(unit)) continue;
            const norm = pieceNorms[unit] ?? NaN;
            norms[piece.first + unit] = Number.isFinite(norm) ? norm : NaN;
            const loss = pieceLosses[unit] ?? NaN;
            losses[piece.first + unit] = loss;
            const wanted = magnified.has(unit) ? null : magnificationFor(norm, loss);
            if (wanted !== null) magnified.set(unit, wanted);
            else if (!Number.isFinite(norm)) left.add(unit);
          }
          // One unit that is not finite spoils the sum of its micro-batch (0 times NaN is NaN),
          // so the micro-batch is computed again without it.
          if (left.size + magnified.size > before) {
            await freeKept(outputs);
            continue;
          }
          await this.totals.add(step, outputs);
          nonFinite += left.size;
          break;
        }
      });
      await this.totals.writeInto(into);
      return { sum: into, norms, losses, nonFinite };
    });
  }

  async ordinaryGradient(
    weights: Float32Array,
    batch: UnitBatch,
    into = new Float32Array(this.parameterCount),
  ): Promise<OrdinaryGradient> {
    const numbers = { [graphNames.share]: 1 / Math.max(1, batch.units) };
    this.checkLength(into);
    return this.exclusively(weights, batch, async () => {
      const losses = new Float32Array(batch.units);
      this.totals.begin();
      await this.eachPiece(batch, async (piece) => {
        const run = { kind: "ordinary", weights, batch, piece, numbers } as const;
        const { step, outputs } = await this.runPiece(run);
        losses.set(resultOf(outputs, graphNames.losses).subarray(0, piece.units), piece.first);
        await this.totals.add(step, outputs);
      });
      await this.totals.writeInto(into);
      return { gradient: into, losses };
    });
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    // Releasing a session while it runs aborts the process.
    if (this.busy) throw new Error("a network cannot be disposed of while it computes");
    this.disposed = true;
    await this.releasePrepared();
    await this.parameters.dispose();
    await this.totals.dispose();
  }

  private async releasePrepared(): Promise<void> {
    const pending = [...this.prepared.values()];
    this.prepared.clear();
    for (const result of await Promise.allSettled(pending))
      if (result.status === "fulfilled") await result.value.program.dispose();
  }

  private microbatch(views: number): number {
    const most = Math.max(1, Math.floor(this.mostImages / views));
    return Math.min(this.options.unitsAtOnce(views), most);
  }

  /** Computes a batch piece by piece, in smaller pieces once memory has run out. */
  private async eachPiece(
    batch: UnitBatch,
    compute: (piece: Piece) => Promise<void>,
  ): Promise<void> {
    const { units, views } = batch;
    let first = 0;
    while (first < units) {
      this.options.interrupt?.();
      const microbatch = this.microbatch(views);
      const piece = nextPiece(first, units, microbatch);
      try {
        await compute(piece);
        first += piece.units;
      } catch (error) {
        if (!isMemoryExhausted(error)) throw error;
        if (microbatch === 1)
          throw new UserError(
            "resource",
            `Memory does not suffice for one ${views === 1 ? "image" : `unit of ${views} images`} ` +
              `of ${this.options.resolutionPixels} pixels (${messageOf(error)}). Choose a smaller ` +
              "network or resolution, or close other programs.",
            { cause: error },
          );
        const halved = Math.max(1, Math.floor(microbatch / 2));
        this.mostImages = halved * views;
        await this.releasePrepared();
        this.options.report?.(
          `Memory ran out with ${microbatch} units at once; going on with ${halved}. ` +
            "The result is the same, and nothing is lost.",
        );
      }
    }
  }

  private async exclusively<T>(
    weights: Float32Array,
    batch: UnitBatch,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.disposed) throw new Error("the network was disposed of");
    if (this.busy) throw new Error("two calculations of one network overlap");
    this.checkLength(weights);
    checkBatch(this.network, this.options.resolutionPixels, batch);
    this.busy = true;
    try {
      return await work();
    } finally {
      // The caller may change its weights before the next call.
      this.parameters.forget();
      await this.device?.freeAll();
      this.busy = false;
    }
  }

  private checkLength({ length }: Float32Array): void {
    if (length !== this.parameterCount)
      throw new Error(`${length} values for ${this.parameterCount} parameters`);
  }

  private async runPiece(run: PieceRun): Promise<PieceResult> {
    const { batch, piece, weights } = run;
    const { step, program, feeds } = await this.preparedFor(run.kind, piece.size, batch.views);
    fillPiece(feeds, step.imageFeeds, batch, {
      piece,
      left: run.left ?? new Set(),
      positiveWeights: this.options.positiveWeights ?? null,
    });
    for (const [name, value] of Object.entries(run.numbers ?? {})) feeds.get(name)?.fill(value);
    const magnification = feeds.get(graphNames.magnification)?.fill(1);
    for (const [unit, power] of run.magnified ?? []) magnification?.set([power], unit);
    const all = new Map<string, Value>(feeds);
    await this.parameters.addTo(all, weights, step.parameterFeeds);
    const into = run.kind === "inference" ? undefined : this.totals.targets(step);
    return { step, outputs: await program.run(all, into) };
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
    const { network, resolutionPixels, sparing, recomputing, direct, wholeImages } = this.options;
    const arrangement = { resolutionPixels, sparing, direct, wholeImages };
    const shape = { ...arrangement, units, views, recomputing };
    const step =
      kind === "private"
        ? privateGraph(network, shape)
        : kind === "ordinary"
          ? ordinaryGraph(network, shape)
          : inferenceGraph(network, { ...arrangement, images: units });
    const parameters = new Set(step.parameterFeeds.map((feed) => feed.input));
    const feeds = new Map<string, Float32Array>();
    for (const operation of step.graph.operations)
      if (operation.kind === "input" && !parameters.has(operation.name))
        feeds.set(operation.name, new Float32Array(sizeOf(operation.output.shape)));
    const kept = this.keeping ? new Set(step.gradients.map(({ output }) => output)) : undefined;
    return { step, program: await this.prepare(step.graph, label, kept), feeds };
  }
}
