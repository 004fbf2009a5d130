import type { RunSummary } from "../../../shared/domain.ts";
import { count, decimals, rate, timeText, undefinedMark } from "../format.ts";
import { unitOf, type ReportFacts } from "../input.ts";
import type { Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold, plain } from "../layout/text.ts";

/** How both runs were trained and evaluated, in enough detail to do it again. */
export function writeMethod(sheet: Sheet, facts: ReportFacts): void {
  const { privateRun, referenceRun, network, comparison } = facts;
  sheet.heading(1, "3  Method");
  sheet.paragraph(
    "The private run and its reference run share the network, the starting weights' source, the " +
      "optimiser and the recipe below; they differ in clipping and noise only. Rows in which the " +
      "two differ are set in bold.",
  );
  const both = (title: string, of: (run: RunSummary) => string) => {
    const values = [of(privateRun), of(referenceRun)];
    const differ = values[0] !== values[1];
    return { cells: [title, ...values.map((value) => (differ ? bold(value) : value))] };
  };
  drawTable(sheet, {
    caption: "The plans of both runs.",
    columns: [
      { title: "", share: 1.2 },
      { title: "Private run", share: 2 },
      { title: "Reference run", share: 2 },
    ],
    rows: [
      both("Run", (run) => plain(run.id)),
      {
        cells: [
          "Network",
          `${plain(network.title)}, ${count(network.parameters)} parameters`,
          `${plain(network.title)}, ${count(network.parameters)} parameters`,
        ],
      },
      both("Input", (run) => {
        const side = run.plan.recipe.resolutionPixels;
        return `${side} × ${side} pixels, one channel`;
      }),
      both("Pixel pipeline", (run) => plain(run.plan.pixelPipeline)),
      both("Starting weights", (run) =>
        run.plan.recipe.initialWeights === null ? "random" : plain(fileName(run)),
      ),
      both("Optimiser", () => plain(facts.optimiser)),
      both("Learning rate", (run) => {
        const { learningRate, warmupSteps, schedule } = run.plan.recipe;
        const warmup = warmupSteps > 0 ? `, linear over the first ${count(warmupSteps)} steps` : "";
        const shape = schedule === "cosine" ? ", then half a cosine" : "";
        return `${rate(learningRate)}${warmup}${shape}`;
      }),
      both("Sampling", (run) => {
        const q = rate(run.plan.samplingRate);
        return `Poisson over ${run.plan.recipe.unit}s, q = ${q}`;
      }),
      both("Expected batch", (run) => `${count(run.plan.recipe.expectedBatch)} units`),
      both("Images per unit and step", (run) => `at most ${run.plan.recipe.viewsPerUnit}`),
      both("Augmentation", (run) => augmentationOf(run)),
      both("Clipping", (run) =>
        run.plan.privacy === null
          ? "none"
          : `${run.plan.recipe.clipping.kind}, norm C = ${rate(run.plan.recipe.clipping.norm)}`,
      ),
      both("Noise", (run) =>
        run.plan.privacy === null
          ? "none"
          : `${run.plan.recipe.noise === "gaussian" ? "Gaussian" : "discrete Gaussian"}, σ = ${decimals(run.plan.privacy.noiseMultiplier, 4)} times C on the sum`,
      ),
      both("Class weights", (run) => classWeightsOf(run, privateRun)),
      both("Divisor of the sum", (run) => rate(run.plan.divisor)),
      both("Weight average", (run) =>
        run.plan.recipe.averagingDecay === 0
          ? "none"
          : `exponential, decay ${rate(run.plan.recipe.averagingDecay)}`,
      ),
      both("Steps", (run) => `${count(run.stepsJournaled)} of ${count(run.plan.steps)} planned`),
      both("State", (run) => run.state),
      both("Engine", (run) =>
        run.engine === null
          ? undefinedMark
          : plain([run.engine, run.device ?? ""].join(" ").trim()),
      ),
      both("Started", (run) => timeText(run.startedAt)),
      both("Ended", (run) => timeText(run.endedAt)),
    ],
  });
  sheet.heading(2, "Evaluation");
  const confidence = Math.round(comparison.confidence * 100);
  sheet.paragraph(
    "AUROC is the Mann–Whitney statistic with ties counted as one half. A threshold for each " +
      "label was fitted by Youden’s index on the validation patients and applied unchanged to the " +
      "test patients; accuracy, sensitivity, specificity and the fairness differences rest on it. " +
      `Intervals are ${confidence} % percentile intervals from ` +
      `${count(comparison.bootstrapSamples)} bootstrap samples that draw patients, not images, ` +
      "with replacement. Both runs are evaluated on the same samples, so that differences are " +
      "paired. The intervals describe the sampling of test patients; they hold the trained " +
      "weights and the thresholds fixed and say nothing about training once more.",
  );
  sheet.paragraph(
    `A statistic is given where at least ${comparison.minimumCell} patients have positive images ` +
      `and ${comparison.minimumCell} have negative ones, and only if it was defined in at least ` +
      "95 % of the bootstrap samples. " +
      `The privacy unit of the private run is the ${unitOf(facts)}; the resampling unit is always ` +
      "the patient.",
  );
}

/** A reference run has the weights of its private twin; a report is always on such a pair. */
function classWeightsOf(run: RunSummary, privateRun: RunSummary): string {
  const counts = privateRun.plan.privacy?.classCounts;
  if (run.plan.recipe.classWeights === "none") return "none";
  if (counts === undefined) return "from exact counts";
  return run.id === privateRun.id
    ? `from private counts, discrete Gaussian, σ = ${decimals(counts.noiseMultiplier, 4)}`
    : "those of the private run";
}

/** The weights' file without its folder, which may name a person or a machine. */
function fileName(run: RunSummary): string {
  return (run.plan.recipe.initialWeights ?? "").split(/[\\/]/u).at(-1) ?? "";
}

function augmentationOf({ plan }: RunSummary): string {
  const kinds = [
    plan.recipe.augmentation ? "shift, rotation, contrast" : null,
    plan.recipe.mirror ? "mirror with right and left labels exchanged" : null,
  ].filter((kind) => kind !== null);
  return kinds.length === 0 ? "none" : kinds.join("; ");
}
