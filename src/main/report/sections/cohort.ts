import { barChart, barChartHeight, printTheme, type Bar } from "../../../shared/charts/index.ts";
import type { CountByValue } from "../../../shared/domain.ts";
import { gradeTitles } from "../../../shared/findings.ts";
import { suppressedCounts } from "../../../shared/suppression.ts";
import { count, percent, undefinedMark } from "../format.ts";
import type { ReportFacts } from "../input.ts";
import { drawFigure, type Pen } from "../layout/figure.ts";
import { contentWidthPoints, type Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { plain } from "../layout/text.ts";

const partTitles = { train: "Training", validation: "Validation", test: "Test" } as const;

/** Who is in the cohort, how it was divided, and how often each label is positive. */
export function writeCohort(sheet: Sheet, pen: Pen, facts: ReportFacts): void {
  const { overview, comparison, synthetic } = facts;
  const { summary, split } = overview;
  const grade = gradeTitles[summary.positiveAtGrade] ?? String(summary.positiveAtGrade);
  sheet.heading(1, "2  Cohort");
  sheet.paragraph(
    `The cohort holds ${count(summary.images)} ${synthetic ? "synthetic images" : "images"} of ` +
      `${count(summary.patients)} patients: ${count(summary.included)} images are included, ` +
      `${count(summary.setAside)} are set aside, and ${count(summary.quarantined)} files were ` +
      `quarantined at intake. ${count(summary.labelled)} images are labelled. A finding counts as ` +
      `positive from the grade “${grade}” on (grade ${summary.positiveAtGrade} of 4). The split ` +
      "is by patient: no patient is in two parts.",
  );
  if (split) writeSplit(sheet, facts);
  const minimum = comparison.minimumCell;
  const width = (contentWidthPoints - 10) / 2;
  const panels = [
    { title: "Sex", rows: overview.bySex },
    { title: "Age (years)", rows: overview.byAge },
    { title: "View position", rows: overview.byViewPosition },
    { title: "Images per patient", rows: overview.byImagesPerPatient },
    { title: "Co-morbidities", rows: overview.byComorbidity.filter(isKnown) },
    ...overview.bySubgroup.map(({ name, values }) => ({
      title: plain(name).slice(0, 40),
      rows: withoutRare(values, minimum),
    })),
  ].filter((panel) => panel.rows.length > 0);
  if (panels.length > 0) {
    drawFigure(sheet, pen, {
      caption:
        "Patients of the cohort by sex, age, view position, number of images and co-morbidities, " +
        "and by the subgroups that its tables name. A patient with " +
        "images in several groups counts in each. Groups of fewer than " +
        `${minimum} patients are suppressed.`,
      alternative: panels
        .map((panel) => `${panel.title}: ${describe(bars(panel.rows, minimum))}`)
        .join(". "),
      panels: panels.map((panel) => {
        const shown = bars(panel.rows, minimum);
        const size = {
          theme: printTheme,
          widthPixels: width,
          heightPixels: barChartHeight(shown.length, { theme: printTheme }),
        };
        return { title: panel.title, chart: barChart(pen.plot, shown, size) };
      }),
      columns: 2,
    });
  }
  drawTable(sheet, {
    caption:
      "Images by label over the whole cohort, and positives in each part of the split. Counts under " +
      `${minimum} are suppressed, and so are those that would give them back.`,
    columns: [
      { title: "Label", share: 2.3 },
      { title: "Positive", share: 1, align: "right" },
      { title: "Negative", share: 1, align: "right" },
      { title: "Missing", share: 1, align: "right" },
      { title: "Prevalence", share: 1, align: "right" },
      ...(split?.parts ?? []).map((part) => ({
        title: `Positive, ${partTitles[part.part].toLowerCase()}`,
        share: 1.1,
        align: "right" as const,
      })),
    ],
    rows: facts.findings.map((finding) => {
      const label = overview.labels.find((one) => one.finding === finding.key);
      // Both are divisions whose totals stand in this section: all films, and all positives.
      const cells = suppressedCounts(
        label === undefined ? [] : [label.positive, label.negative, label.missing],
        minimum,
        { zerosMayShow: true },
      );
      const [positive, negative, missing] = cells;
      const inParts = suppressedCounts(
        (split?.parts ?? []).map((part) => part.positives[finding.key] ?? 0),
        minimum,
      );
      // A prevalence beside a hidden count would give it back.
      const prevalence =
        positive?.value != null && negative?.value != null && positive.value + negative.value > 0
          ? percent(positive.value / (positive.value + negative.value), 1)
          : undefinedMark;
      return {
        cells: [
          finding.title,
          ...[positive, negative, missing].map((cell) => cell?.shown ?? undefinedMark),
          prevalence,
          ...inParts.map(({ shown }) => shown),
        ],
      };
    }),
  });
}

function writeSplit(sheet: Sheet, facts: ReportFacts): void {
  const { split } = facts.overview;
  if (!split) return;
  const patients = split.parts.reduce((sum, part) => sum + part.patients, 0);
  const images = split.parts.reduce((sum, part) => sum + part.images, 0);
  drawTable(sheet, {
    caption: `The split by patient, drawn on ${split.createdAt.slice(0, 10)}.`,
    columns: [
      { title: "Part", share: 1 },
      { title: "Patients", share: 1, align: "right" },
      { title: "Share of patients", share: 1, align: "right" },
      { title: "Images", share: 1, align: "right" },
      { title: "Used for", share: 3 },
    ],
    rows: [
      ...split.parts.map((part) => ({
        cells: [
          partTitles[part.part],
          count(part.patients),
          percent(part.patients / Math.max(1, patients), 1),
          count(part.images),
          {
            train: "Gradients; covered by the guarantee",
            validation: "Thresholds on the scores; not covered",
            test: "Every figure of sections 4 to 6; not covered",
          }[part.part],
        ],
      })),
      { cells: ["All", count(patients), "100.0 %", count(images), ""], isStrong: true },
    ],
  });
}

function isKnown({ value }: CountByValue): boolean {
  return value.toLowerCase() !== "unknown";
}

/** The values of a free subgroup; rare ones could name a person, so they share one row. */
function withoutRare(values: readonly CountByValue[], minimum: number): readonly CountByValue[] {
  const rare = values.filter(({ patients }) => patients < minimum);
  if (rare.length === 0) return values;
  const sum = (of: (row: CountByValue) => number): number =>
    rare.reduce((all, row) => all + of(row), 0);
  const rest = {
    value: "other values",
    images: sum(({ images }) => images),
    patients: sum(({ patients }) => patients),
  };
  return [...values.filter((row) => !rare.includes(row)), rest];
}

function bars(rows: readonly CountByValue[], minimum: number): Bar[] {
  const shown = suppressedCounts(
    rows.map((row) => row.patients),
    minimum,
  );
  return rows.map((row, index) => ({
    title: plain(row.value).slice(0, 24),
    value: shown[index]?.value ?? null,
    shown: shown[index]?.shown ?? undefinedMark,
  }));
}

function describe(shown: readonly Bar[]): string {
  return shown.map((bar) => `${bar.title} ${bar.shown ?? ""}`).join(", ");
}
