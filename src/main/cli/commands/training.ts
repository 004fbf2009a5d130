import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import type { RunSummary } from "../../../shared/domain.ts";
import { UserError } from "../../../shared/errors.ts";
import {
  formatDelta,
  formatDuration,
  formatEpsilon,
  formatNumber,
} from "../../../shared/format.ts";
import {
  chosenIn,
  type ClassWeights,
  type NoiseKind,
  type PrivacyUnit,
  type Recipe,
} from "../../../shared/plan.ts";
import { pretrainedStart } from "../../../shared/pretrained.ts";
import { startingWeightsInWords } from "../../../shared/starting-weights.ts";
import type { Core } from "../../core/core.ts";
import { chosenNetwork } from "../../network/network-file.ts";
import { table, type Output } from "../output.ts";
import { numberArgument, wholeNumber, withCore } from "../session.ts";
import { cohortNamed, defaultSplit } from "./cohort.ts";

interface TrainOptions {
  readonly epsilon?: number;
  readonly nonPrivate?: boolean;
  readonly delta?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly clip?: number;
  readonly network?: string;
  readonly resolution?: number;
  readonly init?: string;
  readonly engine?: string;
  readonly unit?: PrivacyUnit;
  readonly noise?: NoiseKind;
  readonly classWeights?: ClassWeights;
  readonly canaries?: number;
}

/** `train`, `runs`, `stop`. */
export function addTrainingCommands(program: Command): void {
  program
    .command("train <cohort>")
    .description("train a model, privately or not")
    .option("--epsilon <epsilon>", "the epsilon not to exceed", numberArgument)
    .option("--non-private", "train without clipping and noise")
    .option("--delta <delta>", "delta (default: 1/(10 x training patients))", numberArgument)
    .option("--epochs <n>", "expected passes over the training patients", numberArgument)
    .option("--batch <n>", "expected number of units in a step", wholeNumber(1))
    .option("--clip <norm>", "bound on one unit's contribution", numberArgument)
    .option("--network <name>", "the network, or a JSON file that describes one")
    .option("--resolution <pixels>", "side of the training frame", wholeNumber(16))
    .option("--init <file>", "safetensors with the weights to start from")
    .option("--engine <name>", "what computes; engine list shows the names")
    .option("--unit <unit>", "privacy unit: patient or image", unitArgument)
    .option("--noise <kind>", "gaussian, or the exact discrete-gaussian", noiseArgument)
    .option(
      "--class-weights <kind>",
      "none, or private: by label counts with noise, part of epsilon",
      classWeightsArgument,
    )
    .option("--canaries <m>", "made-up patients to audit the run with", wholeNumber(0))
    .action(async (name: string, options: TrainOptions, command: Command) => {
      if ((options.epsilon === undefined) === (options.nonPrivate !== true)) {
        command.error("error: give either --epsilon E or --non-private", { exitCode: 2 });
      }
      await withCore(command, async (core, output) => {
        const cohort = await cohortNamed(core, name);
        await ensureSplit(core, output, cohort.id);
        const { recipe } = await core.call("training:defaults", { cohortId: cohort.id });
        const changed = changedRecipe(recipe, options);
        const { initialWeights: file } = changed;
        if (file !== null) {
          const taken = await core.call("weights:match", {
            ...chosenIn(changed),
            scheme: cohort.scheme,
            file,
          });
          for (const line of startingWeightsInWords(taken)) output.message(line);
        }
        const { runIds } = await core.call("training:start", {
          cohortId: cohort.id,
          recipe: changed,
          epsilon: options.epsilon ?? null,
          delta: options.delta ?? null,
          withReference: false,
        });
        const runId = runIds[0] as string;
        const run = await waitForRun(core, output, runId);
        const startingWeights = await core.call("weights:of-run", { runId });
        output.result({ run: run.id, ...run, startingWeights }, () => describeRun(run));
      });
    });

  program
    .command("runs <cohort>")
    .description("the cohort's runs with plan, state and epsilon spent")
    .action(async (name: string, _options: unknown, command: Command) => {
      await withCore(command, async (core, output) => {
        const cohort = await cohortNamed(core, name);
        const runs = await core.call("run:list", { cohortId: cohort.id });
        output.result({ runs }, () => describeRuns(runs));
      });
    });

  program
    .command("stop <run>")
    .description("stop a run; its journaled steps stay spent")
    .action(async (runId: string, _options: unknown, command: Command) => {
      await withCore(command, async (core, output) => {
        const run = await core.call("training:stop", { runId });
        output.result(run, () => describeRun(run));
      });
    });
}

function noiseArgument(text: string): NoiseKind {
  if (text === "gaussian" || text === "discrete-gaussian") return text;
  throw new InvalidArgumentError("the noise is gaussian or discrete-gaussian");
}

function classWeightsArgument(text: string): ClassWeights {
  if (text === "none" || text === "private") return text;
  throw new InvalidArgumentError("the class weights are none or private");
}

function unitArgument(text: string): PrivacyUnit {
  if (text === "patient" || text === "image") return text;
  throw new InvalidArgumentError("the privacy unit is patient or image");
}

function changedRecipe(recipe: Recipe, options: TrainOptions): Recipe {
  const start = options.init === undefined ? recipe : { ...recipe, ...pretrainedStart };
  return {
    ...start,
    epochs: options.epochs ?? start.epochs,
    expectedBatch: options.batch ?? recipe.expectedBatch,
    clipping: { ...recipe.clipping, norm: options.clip ?? recipe.clipping.norm },
    ...(options.network === undefined ? {} : chosenNetwork(options.network)),
    resolutionPixels: options.resolution ?? recipe.resolutionPixels,
    initialWeights: options.init === undefined ? recipe.initialWeights : resolve(options.init),
    engine: options.engine ?? recipe.engine,
    unit: options.unit ?? recipe.unit,
    noise: options.noise ?? recipe.noise,
    classWeights: options.classWeights ?? recipe.classWeights,
    ...(options.canaries === undefined ? {} : { auditCanaries: options.canaries }),
  };
}

/** Makes the default split where the cohort has none. */
export async function ensureSplit(core: Core, output: Output, cohortId: number): Promise<void> {
  const { split } = await core.call("cohort:overview", { cohortId });
  if (split !== null) return;
  await core.call("cohort:split", defaultSplit(cohortId));
  output.message("Split by patient: 70 % train, 10 % validation, 20 % test.");
}

/**
 * Waits until a run has ended, showing its progress; an interrupt from the keyboard stops it.
 *
 * @throws UserError where the run failed.
 */
export async function waitForRun(core: Core, output: Output, runId: string): Promise<RunSummary> {
  const stopListening = core.on("run:progress", (progress) => {
    if (progress.run.id !== runId) return;
    const { run, step, steps, latest, stepsPerSecond, secondsLeft, phase } = progress;
    output.progress(
      [
        `${run.kind === "private" ? "Private" : "Reference"} run, ${phase}: step ${step} of ${steps}`,
        latest === null ? "" : `loss ${formatNumber(latest.loss, 3)}`,
        latest?.epsilon == null ? "" : `epsilon ${formatEpsilon(latest.epsilon)}`,
        stepsPerSecond === null ? "" : `${formatNumber(stepsPerSecond, 2)} steps/s`,
        secondsLeft === null ? "" : `${formatDuration(secondsLeft)} left`,
      ]
        .filter((part) => part !== "")
        .join(", "),
    );
  });
  const stop = (): void => {
    void core.call("training:stop", { runId });
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    const run = await core.runFinished(runId);
    if (run.state === "failed") {
      throw new UserError("conflict", `Run ${runId} failed: ${run.message ?? "no reason known"}`);
    }
    return run;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    stopListening();
  }
}

export function describeRun(run: RunSummary): string {
  const spent =
    run.epsilonSpent === null
      ? ""
      : `, epsilon ${formatEpsilon(run.epsilonSpent)} at delta ${formatDelta(run.plan.privacy?.delta ?? 0)}` +
        describePatient(run);
  return `Run ${run.id} (${run.kind}): ${run.state} after ${run.stepsJournaled} of ${run.plan.steps} steps${spent}`;
}

/** Where the unit is the image, the figure of a patient beside it. */
function describePatient({ patientSpent }: RunSummary): string {
  if (patientSpent == null) return "";
  const { mostImages, epsilon, medianImages, medianEpsilon } = patientSpent;
  return (
    ` for one image; for a patient with ${mostImages} images epsilon ${formatEpsilon(epsilon)}, ` +
    `with ${medianImages} (the median) ${formatEpsilon(medianEpsilon)}`
  );
}

function describeRuns(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return "No runs yet.";
  return table([
    ["run", "kind", "state", "steps", "of", "epsilon", "audited", "network", "px"],
    ...runs.map((run) => [
      run.id,
      run.kind,
      run.state,
      run.stepsJournaled,
      run.plan.steps,
      run.epsilonSpent === null ? "–" : formatEpsilon(run.epsilonSpent),
      run.audited == null ? "–" : `≥ ${run.audited.lowerBound.toFixed(2)}`,
      run.plan.recipe.network,
      run.plan.recipe.resolutionPixels,
    ]),
  ]);
}
