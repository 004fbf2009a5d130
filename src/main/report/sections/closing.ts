import { count } from "../format.ts";
import { unitOf, type ReportFacts } from "../input.ts";
import type { Sheet } from "../layout/sheet.ts";
import { bold } from "../layout/text.ts";

/** What the numbers do not show. */
export function writeLimits(sheet: Sheet, facts: ReportFacts): void {
  const { privateEvaluation, privateRun, referenceRun, comparison } = facts;
  sheet.heading(1, "8  Limits");
  const undefinedLabels = privateEvaluation.labels.filter((label) => label.auroc === null).length;
  const items = [
    facts.synthetic
      ? `${bold("Synthetic images.")} The cohort consists of generated phantoms. The results show that the method works, not how a model does on people.`
      : null,
    `${bold("One site, one split.")} Training and test patients come from the same cohort. How the models do elsewhere was not measured.`,
    `${bold("One training each.")} Intervals cover the sampling of ${count(privateEvaluation.testPatients)} test patients, not the randomness of training.`,
    `${bold("Many comparisons.")} The report gives intervals for many labels and groups without correction; a single one that excludes zero is weak evidence.`,
    undefinedLabels > 0
      ? `${bold("Rare labels.")} For ${undefinedLabels} of ${privateEvaluation.labels.length} labels the test part has too few patients with or without the finding; the macro means leave them out.`
      : null,
    `${bold("Small groups.")} Statistics of fewer than ${comparison.minimumCell} patients with or without the finding are not given. Differences in such groups can neither be shown nor excluded.`,
    privateRun.state !== "finished" || referenceRun.state !== "finished"
      ? `${bold("Runs that did not finish.")} The private run is ${privateRun.state}, the reference run ${referenceRun.state}; they may have seen different numbers of steps.`
      : null,
    `${bold("Labels.")} Errors of the labels enter every number and are not covered by the intervals.`,
    `${bold("Not a medical device.")} The models are for research and must not be used for diagnosis.`,
  ];
  sheet.bullets(items.filter((item) => item !== null));
}

/** The terms of the report, in one sentence each. */
export function writeGlossary(sheet: Sheet, facts: ReportFacts): void {
  sheet.heading(1, "9  Glossary");
  const unit = unitOf(facts);
  const terms: readonly (readonly [string, string])[] = [
    ["AUROC", "the chance that an image with the finding scores higher than one without it."],
    ["Clipping norm C", "the length to which the contribution of a unit to a step is cut."],
    ["δ", "the probability that the bound given by ε is allowed to fail."],
    [
      "ε",
      `the bound on how much more likely any result becomes when one ${unit} is added or removed: at most by the factor e to the power ε.`,
    ],
    ["Ledger", "the append-only record of all private runs of the cohort and what they spent."],
    ["Macro AUROC", "the mean of the labels’ AUROCs, each label counting the same."],
    ["Noise multiplier σ", "the standard deviation of the noise on a step’s sum, in units of C."],
    ["Private run", "a training with clipping and noise, covered by the privacy statement."],
    ["Reference run", "its twin with the same recipe and without clipping and noise."],
    ["Sampling rate q", `the probability with which each ${unit} takes part in a step.`],
    ["Youden’s index", "sensitivity plus specificity minus one; a threshold maximises it."],
  ];
  sheet.bullets(terms.map(([term, meaning]) => `${bold(term)}: ${meaning}`));
}
