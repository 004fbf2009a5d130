import type { Comparison } from "../../src/shared/comparison.ts";
import { expect } from "vitest";
import { openCore, type Core } from "../../src/main/core/core.ts";

/** A private run with its reference run, finished, on the data folder's only cohort. */
export interface TrainedPair {
  readonly core: Core;
  readonly cohortId: number;
  readonly privateId: string;
  readonly referenceId: string;
}

/**
 * Trains both in one epoch, with all that looks at single labels: mirroring, class weights and
 * canaries. Close the core afterwards.
 */
export async function trainPair(
  dataFolder: string,
  split: { readonly train: number; readonly validation: number; readonly test: number },
): Promise<TrainedPair> {
  const core = await openCore({ dataFolder });
  const cohortId = (await core.call("cohort:list", {}))[0]?.id ?? 0;
  await core.call("cohort:split", { cohortId, ...split });
  const { recipe } = await core.call("training:defaults", { cohortId });
  const { runIds } = await core.call("training:start", {
    cohortId,
    recipe: {
      ...recipe,
      resolutionPixels: 32,
      expectedBatch: 12,
      epochs: 1,
      mirror: true,
      classWeights: "private",
      auditCanaries: 10,
    },
    epsilon: 8,
    delta: null,
    withReference: true,
  });
  for (const runId of runIds) expect((await core.runFinished(runId)).state).toBe("finished");
  const [privateId = "", referenceId = ""] = runIds;
  return { core, cohortId, privateId, referenceId };
}

/** Compares the pair and writes its report; gives the comparison. */
export async function comparedPair(
  { core, privateId, referenceId }: TrainedPair,
  report: string,
): Promise<Comparison> {
  const pair = { privateRunId: privateId, referenceRunId: referenceId };
  const { jobId } = await core.call("evaluation:compare", pair);
  const comparison = (await core.jobFinished(jobId)).result as Comparison;
  const written = await core.call("report:write", { ...pair, file: report });
  expect((await core.jobFinished(written.jobId)).state).toBe("finished");
  return comparison;
}
