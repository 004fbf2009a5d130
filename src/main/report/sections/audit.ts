import type { MembershipAttack } from "../../../shared/audit.ts";
import { attackChart, printTheme } from "../../../shared/charts/index.ts";
import type { Interval } from "../../../shared/comparison.ts";
import { count, decimals, epsilonText, percent } from "../format.ts";
import type { ReportFacts } from "../input.ts";
import { drawFigure, type Pen } from "../layout/figure.ts";
import type { Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold } from "../layout/text.ts";

const titles = {
  "loss-threshold": "Loss threshold",
  "likelihood-ratio": "Likelihood ratio, shadow models",
} as const;

/** The claim beside what was measured, and how the membership attacks fared; or that none was. */
export function writeAudit(sheet: Sheet, pen: Pen, facts: ReportFacts): void {
  const { audits } = facts;
  sheet.heading(2, "Claimed and audited");
  if (!audits?.private && !audits?.reference) {
    sheet.paragraph("The runs have not been audited: the claim rests on its proof alone.");
    return;
  }
  writeCanaries(sheet, facts);
  const rows = (["private", "reference"] as const).flatMap((kind) =>
    (audits[kind]?.attacks ?? []).map((attack) => ({
      cells: [
        titles[attack.attack],
        kind,
        count(attack.members),
        count(attack.nonMembers),
        share(attack.auroc, 2),
        share(attack.tprAt1Percent, 3),
        share(attack.tprAt01Percent, 3),
      ],
    })),
  );
  if (rows.length === 0) return;
  drawTable(sheet, {
    caption:
      "Membership attacks: how well training patients are told from held-out ones, with 95 % intervals " +
      "from resampling patients. TPR: share of training patients found at a false-positive rate. " +
      "A dash stands where too few patients are held out. These figures are computed on patients and " +
      "are not covered by ε.",
    columns: [
      { title: "Attack", share: 1.5 },
      { title: "Run", share: 0.8 },
      { title: "Training", share: 0.7 },
      { title: "Held out", share: 0.7 },
      { title: "AUROC", share: 1.3 },
      { title: "TPR at 1 %", share: 1.4 },
      { title: "TPR at 0.1 %", share: 1.4 },
    ],
    rows,
  });
  const curveOf = (kind: "private" | "reference"): MembershipAttack["curve"] | null =>
    audits[kind]?.attacks.find(({ attack }) => attack === "loss-threshold")?.curve ?? null;
  const size = { theme: printTheme, widthPixels: 252, heightPixels: 222 };
  drawFigure(sheet, pen, {
    caption:
      "The loss-threshold attack on logarithmic axes: private run solid, reference run dashed; on the " +
      "dotted diagonal an attacker does no better than guessing.",
    alternative: "ROC curves of the loss-threshold attack on both runs, on logarithmic axes.",
    panels: [
      {
        chart: attackChart(
          pen.plot,
          { private: curveOf("private"), reference: curveOf("reference") },
          size,
        ),
      },
    ],
    columns: 1,
  });
}

function writeCanaries(sheet: Sheet, facts: ReportFacts): void {
  const privately = facts.audits?.private?.canaryAudit ?? null;
  const openly = facts.audits?.reference?.canaryAudit ?? null;
  if (privately === null) {
    sheet.paragraph("The private run had no canaries, so there is no audited lower bound.");
    return;
  }
  sheet.paragraph(
    `Claimed ε: ${bold(epsilonText(facts.epsilonSpent))}. Audited lower bound: ` +
      `${bold(decimals(privately.lowerBound, 2))} at ${percent(privately.confidence, 0)} confidence. ` +
      `${count(privately.canaries)} made-up patients (canaries) entered training or not by the toss of a ` +
      `fair coin each, and an attacker who sees every step guessed the coins of ` +
      `${count(privately.guesses)} of them, ${count(privately.correct)} rightly (one-run audit, Steinke, ` +
      "Nasr and Jagielski 2023, arXiv 2305.08846).",
  );
  sheet.paragraph(
    "A lower bound below the claim is expected and shows the absence of a gross error, nothing more: so " +
      `many canaries could not show more than ${decimals(privately.highestPossible, 2)}.` +
      (openly === null
        ? ""
        : ` The same attack on the reference run, without noise, gives ${decimals(openly.lowerBound, 2)}.`),
  );
  if (!privately.coinsAsCommitted) {
    sheet.paragraph(
      bold("The canaries' coins are not those that the ledger committed to before training."),
    );
  }
}

function share(interval: Interval | null, digits: number): string {
  if (interval === null) return "–";
  const [estimate, low, high] = [interval.estimate, interval.low, interval.high].map((value) =>
    decimals(value, digits),
  );
  return `${estimate ?? ""} (${low ?? ""}–${high ?? ""})`;
}
