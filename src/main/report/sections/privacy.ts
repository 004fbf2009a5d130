import { printTheme, tradeOffChart } from "../../../shared/charts/index.ts";
import { count, decimals, epsilonText, percent, rate, scientific } from "../format.ts";
import { unitOf, type ReportFacts } from "../input.ts";
import { drawFigure, type Pen } from "../layout/figure.ts";
import type { Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold } from "../layout/text.ts";

const accountants = {
  rdp: "RDP (Rényi differential privacy)",
  pld: "PLD (privacy loss distribution)",
};

/** What is protected, how, by which numbers, what it means, and what it does not cover. */
export function writePrivacy(sheet: Sheet, pen: Pen, facts: ReportFacts): void {
  const { privacy, privateRun, ledger, meaning } = facts;
  const { recipe } = privateRun.plan;
  const unit = unitOf(facts);
  const epsilon = epsilonText(facts.epsilonSpent);
  sheet.heading(1, "1  Privacy statement");
  sheet.paragraph(
    `The weights of the private run are (ε, δ)-differentially private with ε = ${bold(epsilon)} ` +
      `and δ = ${bold(scientific(privacy.delta))}. The privacy unit is ` +
      `${unit === "patient" ? "a patient with all of the patient's images and labels" : "a single image with its labels"}. ` +
      `Two data sets are neighbours if one arises from the other by adding or removing one ${unit}.`,
  );
  if (unit === "image") {
    sheet.paragraph(
      bold("A patient with several images is protected less than these numbers say.") +
        " Epsilon for a patient grows with the number of the patient's images in the training part.",
    );
  }
  drawTable(sheet, {
    caption:
      "The mechanism: DP-SGD with Poisson sampling. The sampler, the noise, the divisor and the accountant read these numbers from one plan.",
    columns: [
      { title: "Quantity", share: 1.15 },
      { title: "Value", share: 1 },
      { title: "Quantity", share: 1.15 },
      { title: "Value", share: 1 },
    ],
    rows: twoColumns([
      ["Privacy unit", unit],
      ["Neighbouring relation", `add or remove one ${unit}`],
      [`Units in the training part`, count(privateRun.plan.units)],
      ["Sampling rate q", rate(privateRun.plan.samplingRate)],
      ["Expected batch (units)", count(recipe.expectedBatch)],
      ["Noise multiplier σ", decimals(privacy.noiseMultiplier, 4)],
      [
        "Clipping norm C",
        recipe.clipping.kind === "flat"
          ? rate(recipe.clipping.norm)
          : `${rate(recipe.clipping.norm)} (automatic)`,
      ],
      ["Steps planned", count(privateRun.plan.steps)],
      ["Steps spent", count(privateRun.stepsJournaled)],
      ["Accountant", accountants[privacy.accountant]],
      ["δ", scientific(privacy.delta)],
      ["ε of the plan", epsilonText(privacy.epsilon)],
      ["ε spent by this run", epsilon],
      ["ε of the cohort's ledger", epsilonText(ledger.epsilon)],
    ]),
  });
  sheet.heading(2, "What it means");
  sheet.paragraph(
    `An attacker who knows every other ${unit} and the weights, and who held it as likely as not ` +
      `that a certain ${unit} took part in the training, can at most become ` +
      `${bold(percent(meaning.worstCasePosterior, 1))} certain of it, with δ left aside. This is an upper bound ` +
      "over all attacks, present and future, not a description of a known one. " +
      rocSentence(facts),
  );
  const size = { theme: printTheme, widthPixels: 232, heightPixels: 222 };
  drawFigure(sheet, pen, {
    caption:
      `The best true-positive rate of any membership attack on one ${unit}, at each ` +
      `false-positive rate, under ε = ${epsilon} and δ = ${scientific(privacy.delta)}. On the ` +
      "dotted diagonal the attacker does no better than guessing.",
    alternative:
      "Curve of the best true-positive rate of a membership attack against its false-positive rate, above the diagonal of guessing.",
    panels: [{ chart: tradeOffChart(pen.plot, meaning.tradeOff, size) }],
    columns: 1,
  });
  sheet.heading(2, "What it does not cover");
  sheet.bullets(notCovered(facts));
}

/** One point of the trade-off curve in words: what an attacker gets at one false alarm in ten. */
function rocSentence(facts: ReportFacts): string {
  const points = facts.meaning.tradeOff;
  const above = points.find((point) => point.falsePositiveRate >= 0.1);
  const below = points.findLast((point) => point.falsePositiveRate <= 0.1);
  if (!above || !below) return "";
  const span = above.falsePositiveRate - below.falsePositiveRate;
  const share = span === 0 ? 0 : (0.1 - below.falsePositiveRate) / span;
  const value = below.truePositiveRate + share * (above.truePositiveRate - below.truePositiveRate);
  return (
    "An attacker who accepts one false alarm in ten finds at most " +
    `${percent(value, 1)} of those who took part.`
  );
}

function notCovered(facts: ReportFacts): string[] {
  const { privateEvaluation: evaluation } = facts;
  return [
    `${bold("Validation and test patients.")} The guarantee is for the training part. Every number ` +
      `of this report was computed from ${count(evaluation.testPatients)} test patients and ` +
      `${count(evaluation.validationPatients)} validation patients without noise.`,
    `${bold("Thresholds.")} The thresholds on the scores were fitted on the validation patients.`,
    `${bold("Counts of the cohort.")} The number of units in the training part, which sets the ` +
      "sampling rate, and the counts and prevalences in section 2 are exact; cells of fewer than " +
      `${facts.comparison.minimumCell} are suppressed.`,
    `${bold("The reference run.")} It was trained without clipping and noise and protects nobody. ` +
      "Its weights must stay where the data are.",
    `${bold("Training telemetry.")} Losses and gradient norms of the steps are exact values of ` +
      "private data. They are shown in the app only and are not part of this report or of any export.",
    `${bold("Attacks on floating-point noise.")} The noise is Gaussian in floating point. Attacks ` +
      "on its low-order bits (Mironov 2012) are not mitigated.",
    `${bold("Weights to start from.")} ${
      facts.privateRun.plan.recipe.initialWeights === null
        ? "None were used: the training started from random weights."
        : "The run started from weights trained elsewhere; the guarantee says nothing about the data they were trained on."
    }`,
  ];
}

/** Lays pairs of quantity and value out in two columns, read down the left one first. */
function twoColumns(pairs: readonly (readonly [string, string])[]): { cells: string[] }[] {
  const half = Math.ceil(pairs.length / 2);
  return pairs.slice(0, half).map((pair, index) => {
    const other = pairs[index + half] ?? ["", ""];
    return { cells: [...pair, ...other] };
  });
}
