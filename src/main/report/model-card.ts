import { findingsOf } from "../../shared/findings.ts";
import { formatCount, formatDelta, formatEpsilon, formatNumber } from "../../shared/format.ts";
import { schemeOf } from "../../shared/plan.ts";
import type { Ledger, RunSummary, Timestamp } from "../../shared/domain.ts";

export interface ModelCardInput {
  readonly run: RunSummary;
  readonly parameters: number;
  /** The cohort's ledger as it stands; the run's own figure is in the run. */
  readonly ledger: Pick<Ledger, "epsilon" | "delta">;
  /** The exported file's name, format and checksum. */
  readonly file: { readonly name: string; readonly format: string; readonly sha256: string };
  readonly appVersion: string;
  readonly generatedAt: Timestamp;
}

/**
 * The card that goes with an exported model, as Markdown: what it is, what it takes and gives,
 * what the privacy guarantee covers and what it does not. It holds no figure measured on patients
 * and no name of a file, folder, person or place.
 */
export function modelCard(input: ModelCardInput): string {
  const { run, file } = input;
  const { plan } = run;
  const findings = findingsOf(schemeOf(plan));
  return [
    `# Model card: run ${run.id}`,
    "",
    `Written by Silhouette ${input.appVersion} at ${input.generatedAt}.`,
    "",
    plan.privacy === null
      ? "> **Trained without privacy. It protects nobody and must stay inside the institution.** " +
        "Its weights may reveal whose films it was trained on, and more."
      : "> Trained under differential privacy. What that covers, and what not, stands below.",
    "",
    "## What it is",
    "",
    `- File: \`${file.name}\` (${file.format}), SHA-256 \`${file.sha256}\``,
    `- Network: ${plan.recipe.network}, ${formatCount(input.parameters)} weights`,
    `- Kind: ${run.kind} run, ${run.state} after ${formatCount(run.stepsJournaled)} of ` +
      `${formatCount(plan.steps)} planned steps`,
    plan.recipe.initialWeights === null
      ? "- Started from random weights"
      : "- Started from weights in a file. **Name their source here:**",
    "",
    "## What goes in and comes out",
    "",
    `- In: frontal chest radiographs, \`[N, 1, ${plan.recipe.resolutionPixels}, ` +
      `${plan.recipe.resolutionPixels}]\`, grey, in [0, 1], prepared by Silhouette's pixel ` +
      `pipeline version ${plan.pixelPipeline}. Films prepared otherwise give other scores.`,
    `- Out: one score in [0, 1] for each finding, in this order. A film was positive in training ` +
      `from grade ${plan.positiveAtGrade} (of 0 to 4). ` +
      (findings.some(({ side }) => side !== null)
        ? "Right and left are the patient's."
        : "The findings have no side: one counts wherever it is."),
    "",
    ...findings.map((finding, index) => `  ${index + 1}. ${finding.title} (\`${finding.key}\`)`),
    "",
    "- Scores are not probabilities of disease in your patients; calibrate and choose thresholds " +
      "on your own films.",
    "",
    "## Privacy",
    "",
    ...privacySection(input),
    "",
    "## Limits",
    "",
    "- For research. It is not a medical device and must not be used for diagnosis.",
    "- Trained on one site's films. How it does elsewhere, on other machines or in other groups " +
      "of patients was not measured.",
    "- How it does on held-out patients, in which groups and against its non-private twin, stands " +
      "in the report that Silhouette writes. Those figures are measured on patients without noise.",
    "",
  ].join("\n");
}

function privacySection({ run, ledger }: ModelCardInput): string[] {
  const { privacy, recipe, samplingRate, units } = run.plan;
  if (privacy === null) {
    return ["None: there was no clipping and no noise. Epsilon is infinite."];
  }
  const epsilon = formatEpsilon(run.epsilonSpent ?? privacy.epsilon);
  const delta = formatDelta(privacy.delta);
  return [
    `- **Epsilon ${epsilon} at delta ${delta}** for this run, for one ${recipe.unit}, under ` +
      "adding or removing one.",
    `- Epsilon ${formatEpsilon(ledger.epsilon)} at delta ${formatDelta(ledger.delta ?? privacy.delta)} ` +
      "for a patient, for all private runs of the cohort together at the time of this export. " +
      "Where more than this model is published, this figure counts.",
    `- Mechanism: Poisson sampling with q = ${formatNumber(samplingRate, 5)} of ` +
      `${formatCount(units)} ${recipe.unit}s, contributions clipped to C = ${recipe.clipping.norm}, ` +
      `${recipe.noise === "gaussian" ? "Gaussian" : "discrete Gaussian"} noise of ${formatNumber(privacy.noiseMultiplier, 4)} times C, ` +
      `${formatCount(run.stepsJournaled)} steps; accountant: ${privacy.accountant.toUpperCase()}.`,
    ...(privacy.classCounts === undefined
      ? []
      : [
          "- Class weights from label counts with discrete Gaussian noise of " +
            `${formatNumber(privacy.classCounts.noiseMultiplier, 4)} times what one ${recipe.unit} ` +
            "can change them at most; both figures include them.",
        ]),
    "- Covered: the training patients. Not covered: the validation and test patients, choices " +
      "made by looking at results, other cohorts with the same patients.",
    ...(recipe.unit === "image"
      ? [
          "- **The unit is one image.** A patient with several images is protected less than the " +
            "first figure says.",
        ]
      : []),
    ...(recipe.initialWeights === null
      ? []
      : [
          "- The guarantee covers training here. For the whole model it holds only if the starting " +
            "weights came from public data or were private themselves.",
        ]),
  ];
}
