import type { Recipe } from "../../shared/plan.ts";

const names: Readonly<Record<Recipe["optimiser"], string>> = {
  nadam: "NAdam",
  adamw: "AdamW",
  sgd: "SGD",
};

/** The optimiser of a recipe for the report, as both runs of a pair have it. */
export function optimiserInWords({ optimiser, momentum, weightDecay }: Recipe): string {
  const decay = weightDecay === 0 ? "" : `, weight decay ${weightDecay}`;
  return optimiser === "sgd"
    ? `${names[optimiser]} with momentum ${momentum}${decay}`
    : `${names[optimiser]}${decay}; in the private run its second moment is corrected for the noise`;
}
