import type { ReportFacts } from "../input.ts";
import { unitOf } from "../input.ts";
import { count, difference, epsilonText, estimate, scientific, timeText } from "../format.ts";
import { contentWidthPoints, ink, page, type Sheet } from "../layout/sheet.ts";
import { bold, breakLines, drawLine, plain, type TextStyle } from "../layout/text.ts";

/** The head of the first page: what was compared, when, and the result in one sentence. */
export function writeTitle(sheet: Sheet, facts: ReportFacts): void {
  sheet.y = 60;
  const overline: TextStyle = { sizePoints: 8, weight: 600, color: ink.accent };
  sheet.paragraph("SILHOUETTE  ·  REPORT ON A PRIVATE AND A REFERENCE RUN", overline);
  sheet.y += 2;
  const title = sheet.element("Title");
  const titleStyle: TextStyle = { sizePoints: 21, weight: 600, color: ink.text };
  sheet.lines(
    title,
    "Title",
    "Accuracy and fairness of a chest radiograph model trained under differential privacy",
    titleStyle,
    page.left,
    contentWidthPoints,
  );
  title.end();
  sheet.y += 6;
  const meta: TextStyle = { sizePoints: 8.5, weight: 400, color: ink.muted };
  sheet.paragraph(
    [
      `Cohort ${bold(plain(facts.overview.summary.name))}`,
      timeText(facts.generatedAt),
      `Silhouette ${plain(facts.appVersion)}`,
    ].join("   ·   "),
    meta,
  );
  sheet.paragraph(
    `Private run ${plain(facts.privateRun.id)}   ·   Reference run ${plain(facts.referenceRun.id)}`,
    meta,
  );
  if (facts.synthetic) {
    sheet.paragraph(
      bold(
        "All images of this cohort are synthetic phantoms. No number here says anything about people.",
      ),
      { ...meta, color: ink.text },
    );
  }
  sheet.y += 8;
  writeKeyFigures(sheet, facts);
  sheet.y += 12;
  sheet.paragraph(headline(facts), { sizePoints: 10.5, weight: 400, color: ink.text });
}

/** The result in two sentences, with every number that a reader would quote. */
export function headline(facts: ReportFacts): string {
  const { privateEvaluation, referenceEvaluation, privacy, comparison } = facts;
  const patients = count(privateEvaluation.testPatients);
  const images = count(privateEvaluation.testImages);
  const confidence = `${Math.round(comparison.confidence * 100)} %`;
  const guarantee =
    `epsilon = ${bold(epsilonText(facts.epsilonSpent))} at delta = ` +
    `${bold(scientific(privacy.delta))} for each ${unitOf(facts)} of the training part`;
  if (privateEvaluation.macroAuroc === null || referenceEvaluation.macroAuroc === null) {
    return (
      `The ${patients} held-out test patients (${images} images) have too few positives or ` +
      `negatives for a macro AUROC. The private run gives ${guarantee}.`
    );
  }
  const labels = privateEvaluation.macroLabels.length;
  return (
    `On ${patients} held-out test patients (${images} images) the private run reached a macro ` +
    `AUROC of ${bold(estimate(privateEvaluation.macroAuroc))} and its reference run ` +
    `${bold(estimate(referenceEvaluation.macroAuroc))}; the paired difference, reference minus ` +
    `private, is ${bold(difference(facts.difference.macroAuroc))}. The private run gives ` +
    `${guarantee}. Means are over ${labels} ${labels === 1 ? "label" : "labels"}; intervals are ` +
    `${confidence} bootstrap intervals over patients.`
  );
}

function writeKeyFigures(sheet: Sheet, facts: ReportFacts): void {
  const { privateEvaluation, referenceEvaluation } = facts;
  const range = (interval: typeof privateEvaluation.macroAuroc): [string, string] => {
    const [value = "", rest = ""] = estimate(interval).split(/ (.*)/u);
    return [value, rest];
  };
  const apart = difference(facts.difference.macroAuroc).split(/ (.*)/u);
  const [privateValue, privateRange] = range(privateEvaluation.macroAuroc);
  const [referenceValue, referenceRange] = range(referenceEvaluation.macroAuroc);
  const figures = [
    { title: "Macro AUROC, private", value: privateValue, note: privateRange },
    { title: "Macro AUROC, reference", value: referenceValue, note: referenceRange },
    { title: "Difference, paired", value: apart[0] ?? "", note: apart[1] ?? "" },
    {
      title: "Epsilon spent",
      value: epsilonText(facts.epsilonSpent),
      note: `delta ${scientific(facts.privacy.delta)}, unit: ${unitOf(facts)}`,
    },
  ];
  const width = contentWidthPoints / figures.length;
  const top = sheet.y;
  sheet.artifact(() => {
    sheet.pdf.rect(page.left, top, contentWidthPoints, 62).fill(ink.shade);
  });
  const small: TextStyle = { sizePoints: 7.5, weight: 400, color: ink.muted, tabular: true };
  const large: TextStyle = { sizePoints: 19, weight: 600, color: ink.text, tabular: true };
  figures.forEach((figure, index) => {
    const x = page.left + index * width + 10;
    const element = sheet.element("P");
    sheet.within(element, "P", () => {
      const rows = [
        { text: figure.title, style: small, baseline: top + 16 },
        { text: figure.value, style: large, baseline: top + 38 },
        { text: figure.note, style: small, baseline: top + 52 },
      ];
      for (const row of rows) {
        const line = breakLines(sheet.pdf, row.text, row.style, width - 12)[0];
        if (line) drawLine(sheet.pdf, line, row.style, x, row.baseline);
      }
    });
    element.end();
  });
  sheet.y = top + 62;
}
