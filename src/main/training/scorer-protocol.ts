import type { ErrorDescription } from "../../shared/messages.ts";
import type { ChosenNetwork } from "../../shared/plan.ts";

/** What a scoring process works with. It opens no database and reads no file of its own accord. */
export interface ScorerJob {
  readonly chosen: ChosenNetwork;
  /** How many labels it scores. */
  readonly labels: number;
  /** Flat, in the order of the network's parameters. */
  readonly weights: Float32Array;
  readonly framePixels: number;
  readonly resolutionPixels: number;
  /** Engine name, or "auto". */
  readonly engine: string;
}

export type CoreToScorer =
  | { readonly kind: "job"; readonly job: ScorerJob }
  /** 8-bit frames one after the other, [count, framePixels, framePixels]. */
  | {
      readonly kind: "frames";
      readonly id: number;
      readonly count: number;
      readonly frames: Uint8Array;
    };

export type ScorerToCore =
  | { readonly kind: "ready"; readonly engine: string; readonly device: string | null }
  /** Probabilities [count, labels]. */
  | { readonly kind: "scores"; readonly id: number; readonly scores: Float32Array }
  | { readonly kind: "failed"; readonly error: ErrorDescription };
