import type { RunSummary } from "../../../shared/domain.ts";
import { privacyChecklist, type ChecklistItem } from "../../../shared/checklist.ts";
import { printTheme, tradeOffChart } from "../../../shared/charts/index.ts";
import {
  count,
  decimals,
  epsilonText,
  percent,
  rate,
  scientific,
  undefinedMark,
} from "../format.ts";
import { unitOf, type ReportFacts } from "../input.ts";
import { drawFigure, type Pen } from "../layout/figure.ts";
import type { Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold, plain } from "../layout/text.ts";
import { writePreflight } from "./preflight.ts";

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
  const patient = privateRun.patientSpent ?? null;
  if (patient !== null) {
    sheet.paragraph(
      bold("A patient with several images is protected less than these numbers say. ") +
        `For the patient with the most images in the training part (${count(patient.mostImages)}) ` +
        `the private run is (ε, δ)-differentially private with ε = ${bold(epsilonText(patient.epsilon))} ` +
        `at the same δ; for a patient with the median number (${count(patient.medianImages)}), with ` +
        `ε = ${bold(epsilonText(patient.medianEpsilon))}. Both are by the privacy loss distribution of ` +
        "a mixture of Gaussians, since each image is sampled and clipped on its own.",
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
      ["Noise", recipe.noise === "gaussian" ? "Gaussian" : "discrete Gaussian"],
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
      ["by RDP, and by PLD", bothAccountants(facts)],
      ...(patient === null
        ? []
        : [
            [
              `ε of a patient with ${count(patient.mostImages)} images, the most`,
              epsilonText(patient.epsilon),
            ] as const,
            [
              `ε of a patient with ${count(patient.medianImages)} images, the median`,
              epsilonText(patient.medianEpsilon),
            ] as const,
          ]),
      ["ε of the cohort's ledger, for a patient", epsilonText(ledger.epsilon)],
      ["Budget cap of the ledger", ledger.cap === null ? "none" : String(ledger.cap)],
    ]),
  });
  const { preflight } = privateRun;
  if (preflight) writePreflight(sheet, preflight);
  sheet.heading(2, "What it means");
  sheet.paragraph(
    `An attacker who knows every other ${unit} and the weights, and who held it as likely as not ` +
      `that a certain ${unit} took part in the training, can at most become ` +
      `${bold(percent(meaning.worstCasePosterior, 1))} certain of it, with δ left aside. This is an upper bound ` +
      "over all attacks, present and future, not a description of a known one.",
  );
  sheet.paragraph(plain(meaning.sentence));
  if (meaning.patientSentence !== null) {
    sheet.paragraph(`For the patient with the most images: ${plain(meaning.patientSentence)}`);
  }
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
  writeChecklist(sheet, facts);
}

/** Ended before its plan, and not by the budget cap, which says so in its message. */
function endedByHand({ state, stepsJournaled, plan, message }: RunSummary): boolean {
  const byCap = message?.includes("budget cap") === true;
  return state === "stopped" && stepsJournaled < plan.steps && !byCap;
}

/** What is open and what is covered, by severity: the list that the plan showed before the run. */
function writeChecklist(sheet: Sheet, facts: ReportFacts): void {
  const { privateRun, ledger, privateEvaluation, epsilonSpent } = facts;
  const row = ledger.runs.find((run) => run.runId === privateRun.id);
  const items = privacyChecklist({
    plan: privateRun.plan,
    epsilon: epsilonSpent,
    patient: privateRun.patientSpent ?? null,
    patients: row?.patients ?? {
      trained: privateRun.plan.units,
      validation: privateEvaluation.validationPatients,
      test: privateEvaluation.testPatients,
    },
    earlierRuns: ledger.runs.findIndex((run) => run.runId === privateRun.id),
    withReference: true,
    endedByHand: endedByHand(privateRun),
    withAttacks: [facts.audits?.private, facts.audits?.reference].some(
      (audit) => (audit?.attacks.length ?? 0) > 0,
    ),
  });
  const line = (item: ChecklistItem): string =>
    `${bold(`${item.title} (${item.severity}).`)} ${plain(item.text)}`;
  sheet.heading(2, "What it does not cover");
  sheet.paragraph(
    "Critical: not to be published without dealing with it. Serious: weakens what the figures are " +
      "taken to say. Theoretical: no practical attack on such a run is known.",
  );
  sheet.bullets(items.filter((item) => !item.covered).map(line));
  sheet.heading(2, "What it covers");
  sheet.bullets(items.filter((item) => item.covered).map(line));
}

function bothAccountants({ accountants }: ReportFacts): string {
  const { rdp, pld } = accountants;
  const shown = (epsilon: number | null): string =>
    epsilon === null ? undefinedMark : epsilonText(epsilon);
  return `${shown(rdp)} and ${shown(pld)}`;
}

/** Lays pairs of quantity and value out in two columns, read down the left one first. */
function twoColumns(pairs: readonly (readonly [string, string])[]): { cells: string[] }[] {
  const half = Math.ceil(pairs.length / 2);
  return pairs.slice(0, half).map((pair, index) => {
    const other = pairs[index + half] ?? ["", ""];
    return { cells: [...pair, ...other] };
  });
}
