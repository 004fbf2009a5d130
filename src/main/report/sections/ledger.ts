import { count, decimals, epsilonText, rate, scientific } from "../format.ts";
import type { ReportFacts } from "../input.ts";
import { captionStyle, type Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold, plain } from "../layout/text.ts";

/** What the cohort has spent in all: every private run, whatever became of it. */
export function writeLedger(sheet: Sheet, facts: ReportFacts): void {
  const { ledger, privateRun } = facts;
  sheet.heading(1, "7  Privacy ledger of the cohort");
  const delta = ledger.delta === null ? "" : ` at δ = ${scientific(ledger.delta)}`;
  sheet.paragraph(
    `All private runs of the cohort together have spent ε = ${bold(epsilonText(ledger.epsilon))}` +
      `${delta}, failed and stopped runs included. A step counts as spent once it is journaled, ` +
      "before its noise is drawn. Whoever sees the results of several runs is held by this figure, " +
      "not by that of one run.",
  );
  drawTable(sheet, {
    caption: "Every private run of the cohort.",
    columns: [
      { title: "Run", share: 2.1 },
      { title: "State", share: 0.9 },
      { title: "Unit", share: 0.8 },
      { title: "q", share: 0.9, align: "right" },
      { title: "σ", share: 0.8, align: "right" },
      { title: "Steps spent", share: 0.9, align: "right" },
      { title: "Steps planned", share: 0.9, align: "right" },
      { title: "ε", share: 0.7, align: "right" },
    ],
    rows: [
      ...ledger.runs.map((run) => ({
        cells: [
          run.runId === privateRun.id ? `${plain(run.runId)} (this report)` : plain(run.runId),
          run.state,
          run.unit,
          rate(run.samplingRate),
          decimals(run.noiseMultiplier, 4),
          count(run.stepsSpent),
          count(run.stepsPlanned),
          epsilonText(run.epsilon),
        ],
      })),
      {
        cells: ["Composed", "", "", "", "", "", "", epsilonText(ledger.epsilon)],
        isStrong: true,
      },
    ],
    note: "The composed epsilon is computed from all runs' mechanisms together and is usually less than the sum of the column.",
  });
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
  if (last) {
    sheet.paragraph(
      `Hash of the last entry (number ${last.sequence}, ${last.recordedAt.slice(0, 10)}): ${plain(last.hash)}`,
      captionStyle,
    );
  }
}
