/**
 * A private run that starts from weights pretrained on a separate, public set of phantoms of
 * another style, and one that starts from nothing, each beside its reference run with the same
 * start; all on the same held-out patients.
 *
 * Usage: node bench/pretrained.ts [FOLDER] [PATIENTS] [PUBLIC_PATIENTS] [SEED]
 * What stands complete in FOLDER from an earlier, broken-off call is used again.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { openCore } from "../src/main/core/core.ts";
import { generatePhantoms } from "../src/main/phantoms/generate.ts";
import type { Comparison } from "../src/shared/comparison.ts";
import { pretrainedStart } from "../src/shared/pretrained.ts";

const [folder = "silhouette-pretrained", patients = "3000", publicPatients = "4000", seed = "31"] =
  process.argv.slice(2);
const out = resolve(folder);
mkdirSync(out, { recursive: true });
const core = await openCore({ dataFolder: join(out, "data") });

async function finished(jobId: string): Promise<unknown> {
  const job = await core.jobFinished(jobId);
  if (job.state !== "finished") throw new Error(job.error ?? `a task was ${job.state}`);
  return job.result;
}

/** A cohort of phantoms with labels and a split, made where it is not there yet. */
async function cohortOf(style: "a" | "b", count: number, seedNumber: number): Promise<number> {
  const name = `style ${style}, ${count} patients, seed ${seedNumber}`;
  const known = (await core.call("cohort:list", {})).find((cohort) => cohort.name === name);
  if (known !== undefined) return known.id;
  const films = join(out, `films-${style}-${count}-${seedNumber}`);
  if (!existsSync(join(films, "labels.csv"))) {
    await generatePhantoms({
      folder: films,
      patients: count,
      seed: seedNumber,
      sizePixels: 128,
      style,
    });
  }
  const { id: cohortId } = await core.call("cohort:create", { name, framePixels: 64 });
  await finished((await core.call("intake:start", { cohortId, paths: [films] })).jobId);
  const labels = { cohortId, file: join(films, "labels.csv") };
  await finished((await core.call("labels:import", labels)).jobId);
  await core.call("cohort:split", { cohortId, train: 0.7, validation: 0.1, test: 0.2 });
  return cohortId;
}

async function train(cohortId: number, epsilon: number | null, init: string | null) {
  const { recipe } = await core.call("training:defaults", { cohortId });
  const { runIds } = await core.call("training:start", {
    cohortId,
    recipe: init === null ? recipe : { ...recipe, ...pretrainedStart, initialWeights: init },
    epsilon,
    delta: null,
    withReference: epsilon !== null,
  });
  const runs = [];
  for (const runId of runIds) {
    const run = await core.runFinished(runId);
    if (run.state !== "finished") throw new Error(`run ${runId}: ${run.message ?? run.state}`);
    runs.push(run);
  }
  return runs;
}

try {
  const began = performance.now();
  const weights = join(out, "public.safetensors");
  if (!existsSync(weights)) {
    const [run] = await train(await cohortOf("b", Number(publicPatients), 501), null, null);
    await core.call("run:export", {
      runId: run?.id ?? "",
      format: "safetensors",
      file: weights,
      acceptNonPrivate: true,
    });
    console.error(`pretrained after ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
  const cohortId = await cohortOf("a", Number(patients), Number(seed));
  for (const init of [weights, null]) {
    const runs = await train(cohortId, 8, init);
    const idOf = (kind: string) => runs.find((run) => run.kind === kind)?.id ?? null;
    const { jobId } = await core.call("evaluation:compare", {
      privateRunId: idOf("private"),
      referenceRunId: idOf("reference"),
    });
    const comparison = (await finished(jobId)) as Comparison;
    const of = (run: Comparison["privateRun"]): number => run?.macroAuroc?.estimate ?? NaN;
    const [privately, openly] = [of(comparison.privateRun), of(comparison.referenceRun)];
    console.log(init === null ? "From nothing" : "From public weights");
    console.log(`  epsilon ${comparison.privateRun?.epsilon ?? NaN}`);
    console.log(`  macro AUROC, private run:   ${privately.toFixed(4)}`);
    console.log(`  macro AUROC, reference run: ${openly.toFixed(4)}`);
    console.log(`  loss: ${(100 * (openly - privately)).toFixed(2)} points`);
  }
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s`);
} finally {
  await core.close();
}
