import type { ChosenNetwork } from "../../../shared/plan.ts";

/** A network of the user's own, as its file gave it. */
export interface OwnNetwork extends Required<ChosenNetwork> {
  readonly file: string;
  /** How many weights it has. */
  readonly parameters: number;
}
