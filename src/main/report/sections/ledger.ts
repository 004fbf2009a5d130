import type { LedgerRun } from "../../../shared/domain.ts";
import { describeGap } from "../../../shared/ledger-gaps.ts";
import { count, decimals, epsilonText, rate, scientific, undefinedMark } from "../format.ts";
import type { ReportFacts } from "../input.ts";
import { captionStyle, type Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold, plain } from "../layout/text.ts";

/** What the cohort has spent in all: every private run, whatever became of it. */
export function writeLedger(sheet: Sheet, facts: ReportFacts): void {
  const { ledger, privateRun } = facts;
  sheet.heading(1, "7  Privacy ledger of the cohort");
  const delta = ledger.delta === null ? "" : ` at δ = ${scientific(ledger.delta)}`;
  const byImage = ledger.runs.some((run) => run.unit === "image");
  sheet.paragraph(
    `All private runs of the cohort together have spent ε = ${bold(epsilonText(ledger.epsilon))}` +
      `${delta}${byImage ? " for the patient with the most images" : ""}, failed and stopped runs ` +
      "included. " +
      (byImage
        ? `For a patient with the median number of images it is ε = ${bold(epsilonText(ledger.medianEpsilon))}. `
        : "") +
      "A step counts as spent once it is journaled, before its noise is drawn. Whoever sees the " +
      "results of several runs is held by this figure, not by that of one run. " +
      (ledger.cap === null
        ? "No budget cap is set."
        : `The budget cap of the cohort is ε = ${bold(String(ledger.cap))}.`),
  );
  drawTable(sheet, {
    caption: "Every private run of the cohort.",
    columns: [
      { title: "Run", share: 1.9 },
      { title: "State", share: 0.9 },
      { title: "Unit", share: 0.8 },
      { title: "Patients trained", share: 0.9, align: "right" },
      { title: "Held out", share: 0.8, align: "right" },
      { title: "q", share: 0.9, align: "right" },
      { title: "σ", share: 0.8, align: "right" },
      { title: "Steps spent", share: 0.9, align: "right" },
      { title: "of", share: 0.8, align: "right" },
      { title: byImage ? "ε (patient)" : "ε", share: byImage ? 1.1 : 0.7, align: "right" },
    ],
    rows: [
      ...ledger.runs.flatMap((run) => rowsOfRun(run, run.runId === privateRun.id)),
      {
        cells: ["Composed", "", "", "", "", "", "", "", "", epsilonText(ledger.epsilon)],
        isStrong: true,
      },
    ],
    note:
      "The composed epsilon is computed from all runs' mechanisms together and is usually less than the sum of the column." +
      (ledger.runs.some((run) => run.noise !== undefined || run.classCounts !== undefined)
        ? " * Discrete Gaussian noise."
        : "") +
      (ledger.runs.some((run) => run.classCounts !== undefined)
        ? " Class counts, drawn with noise before the first step, are part of their run’s ε; their line shows what they cost alone."
        : "") +
      (byImage
        ? " Where the unit is an image, the first figure is of one image and the one in parentheses of the patient with the most."
        : ""),
  });
  writeReleases(sheet, facts);
  const last = ledger.entries.at(-1);
  const { verification } = ledger;
  sheet.paragraph(
    `The ledger is an append-only chain of ${count(ledger.entries.length)} entries, each holding ` +
      "the hash of the one before. " +
      (verification.intact
        ? "The chain was verified for this report and is intact."
        : bold("The chain is not intact: the figures above cannot be relied on.")),
  );
  if (!verification.intact) sheet.bullets(verification.findings.map(plain));
  for (const gap of verification.gaps) sheet.paragraph(bold(plain(describeGap(gap))));
  if (last) {
    sheet.paragraph(
      `Hash of the last entry (number ${last.sequence}, ${last.recordedAt.slice(0, 10)}): ${plain(last.hash)}`,
      captionStyle,
    );
  }
}

/** The line of a run, and under it that of its private class counts, where it has any. */
function rowsOfRun(run: LedgerRun, isThisReport: boolean): { cells: string[] }[] {
  const { patients, classCounts } = run;
  const trained = patients === null ? undefinedMark : count(patients.trained);
  const pairOf = (one: number, patient: number | null): string =>
    patient === null ? epsilonText(one) : `${epsilonText(one)} (${epsilonText(patient)})`;
  const line = {
    cells: [
      isThisReport ? `${plain(run.runId)} (this report)` : plain(run.runId),
      run.state,
      run.unit,
      trained,
      patients === null ? undefinedMark : count(patients.validation + patients.test),
      rate(run.samplingRate),
      `${decimals(run.noiseMultiplier, 4)}${run.noise === undefined ? "" : "*"}`,
      count(run.stepsSpent),
      count(run.stepsPlanned),
      pairOf(run.epsilon, run.patient?.epsilon ?? null),
    ],
  };
  if (classCounts === undefined) return [line];
  const { noiseMultiplier, spent, epsilon, patientEpsilon } = classCounts;
  const counts = {
    cells: [
      "its class counts",
      spent ? "spent" : "not drawn",
      run.unit,
      trained,
      undefinedMark,
      "1",
      `${decimals(noiseMultiplier, 4)}*`,
      spent ? "1" : "0",
      "1",
      pairOf(epsilon, run.patient === null ? null : patientEpsilon),
    ],
  };
  return [line, counts];
}

/** What was measured exactly on patients, which no run's guarantee covers. */
function writeReleases(sheet: Sheet, { ledger }: ReportFacts): void {
  sheet.heading(2, "Exact statistics on patients: not covered");
  sheet.paragraph(
    "Epsilon protects the patients that a run was trained on. Thresholds, metrics, curves and " +
      "tables are exact statistics of validation and test patients, and membership attacks of " +
      "training patients; each time they were computed or written is an entry of the ledger.",
  );
  drawTable(sheet, {
    caption: "Releases of exact statistics on patients.",
    columns: [
      { title: "Entry", share: 0.6, align: "right" },
      { title: "Date", share: 1 },
      { title: "What", share: 1 },
      { title: "Runs", share: 3 },
      { title: "Training patients", share: 1, align: "right" },
      { title: "Validation patients", share: 1, align: "right" },
      { title: "Test patients", share: 1, align: "right" },
    ],
    rows: ledger.releases.map((release) => ({
      cells: [
        count(release.sequence),
        release.recordedAt.slice(0, 10),
        release.what,
        plain(release.runIds.join(", ")),
        count(release.patients.training),
        count(release.patients.validation),
        count(release.patients.test),
      ],
    })),
  });
}
