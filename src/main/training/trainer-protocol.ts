import type { ErrorDescription } from "../../shared/messages.ts";
import type { RunKind } from "../../shared/domain.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import type { Preflight } from "../../shared/preflight.ts";
import type { CheckedFile } from "./checkpoint.ts";
import type { StepOutcome } from "./step.ts";
import type { TrainingSet } from "./training-set.ts";

/** All that a trainer needs to know; it never opens the database. */
export interface TrainerJob {
  readonly runId: string;
  readonly kind: RunKind;
  readonly plan: TrainingPlan;
  /** Absolute, as is `runFolder`; both exist. */
  readonly dataFolder: string;
  readonly runFolder: string;
  readonly set: TrainingSet;
  /** What the positives of each label weigh in the loss, [labels]; null where all weigh the same. */
  readonly classWeights: readonly number[] | null;
  /** Seed of the initial weights, which are public. */
  readonly initialSeed: string;
  /** Steps that the journal already holds: they are spent, and numbering goes on after them. */
  readonly stepsJournaled: number;
  /** Where to go on from, newest first; none begins from the initial weights. */
  readonly checkpoints: readonly CheckedFile[];
  /** Engine by name, or "auto"; a resumed run goes on with the one that it had. */
  readonly engine: string;
  readonly checkpointSeconds: number;
  /** As in CompileOptions. */
  readonly microbatch: number | null;
  readonly threads: number | null;
}

export type CoreToTrainer =
  | { readonly kind: "job"; readonly job: TrainerJob }
  /**
   * Somebody wants the run to end after the micro-batch under way: with its weights and scores, or
   * (paused) with no more than a checkpoint.
   */
  | { readonly kind: "stop"; readonly pause: boolean }
  /** The step stands in the journal on disk: its noise may be drawn. */
  | { readonly kind: "journaled"; readonly step: number; readonly stopRequested: boolean }
  /** The step may not be taken; the trainer ends, with what it has where `stop` is set. */
  | {
      readonly kind: "refused";
      readonly step: number;
      readonly reason: string;
      readonly stop: boolean;
    };

export type TrainerToCore =
  | { readonly kind: "started"; readonly engine: string; readonly device: string | null }
  | { readonly kind: "phase"; readonly phase: string }
  /** What the check before the first step measured, whether it passed or not. */
  | { readonly kind: "preflight"; readonly result: Preflight }
  | { readonly kind: "journal"; readonly step: number }
  | { readonly kind: "step"; readonly step: number; readonly outcome: StepOutcome }
  | { readonly kind: "checkpoint"; readonly step: number; readonly checkpoint: CheckedFile }
  | {
      readonly kind: "predictions";
      readonly part: "validation" | "test";
      /** [images]. */
      readonly imageIds: Float64Array;
      /** [images, labels]: probabilities. */
      readonly scores: Float32Array;
    }
  /** The score of each canary, [canaries]; what scored them did not know the coins. */
  | { readonly kind: "canary-scores"; readonly scores: Float64Array }
  | {
      readonly kind: "finished";
      /** Ended before its last planned step because somebody asked. */
      readonly stopped: boolean;
      /** To be gone on with: nothing was scored. */
      readonly paused: boolean;
      /** Null where no step was taken, or the run is paused. */
      readonly weights: CheckedFile | null;
    }
  | { readonly kind: "failed"; readonly error: ErrorDescription };

/** One end of the channel between core and trainer. */
export interface TrainerPort {
  send(message: TrainerToCore): void;
  onMessage(listener: (message: CoreToTrainer) => void): void;
  /** Called once when the core is gone: no step may be taken any more. */
  onClosed(listener: () => void): void;
}

/**
 * The trainer's end of the channel of a Node child process.
 *
 * @throws Error where this process was not started with such a channel.
 */
export function openTrainerPort(): TrainerPort {
  if (process.send === undefined) throw new Error("A trainer is started by the core.");
  return {
    send: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => {
      process.on("message", (message) => {
        listener(message as CoreToTrainer);
      });
    },
    onClosed: (listener) => {
      process.once("disconnect", listener);
    },
  };
}
