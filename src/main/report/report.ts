import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { UserError, messageOf } from "../../shared/errors.ts";
import { timeText } from "./format.ts";
import { factsOf, type ReportFacts, type ReportInput } from "./input.ts";
import { loadPen, type Pen } from "./layout/figure.ts";
import { Sheet } from "./layout/sheet.ts";
import { plain } from "./layout/text.ts";
import { writeAudit } from "./sections/audit.ts";
import { writeGlossary, writeLimits } from "./sections/closing.ts";
import { writeCohort } from "./sections/cohort.ts";
import { writeFairness, writeSubgroups } from "./sections/fairness.ts";
import { writeLedger } from "./sections/ledger.ts";
import { writeMethod } from "./sections/method.ts";
import { writePrivacy } from "./sections/privacy.ts";
import { writeResults } from "./sections/results.ts";
import { writeTitle } from "./sections/title.ts";

export type { ReportInput } from "./input.ts";

export interface WrittenReport {
  readonly pages: number;
  readonly bytes: number;
}

/**
 * Writes the report on a pair of runs as a tagged PDF with embedded fonts and vector figures. The
 * file appears whole or not at all; one of the same name is replaced.
 *
 * @throws UserError where a part of the input is missing, or where the file cannot be written
 */
export async function writeReport(
  input: ReportInput & { readonly file: string },
): Promise<WrittenReport> {
  const facts = factsOf(input);
  const pen = await loadPen();
  const partial = `${input.file}.${process.pid}.partial`;
  try {
    const sheet = openSheet(facts);
    const written = pipeline(sheet.pdf, createWriteStream(partial, { flush: true }));
    // An error of the disk while the pages are set is met at the await below.
    written.catch(() => undefined);
    const pages = writeSections(sheet, pen, facts);
    await written;
    await rename(partial, input.file);
    const { size } = await stat(input.file);
    return { pages, bytes: size };
  } catch (thrown) {
    await rm(partial, { force: true }).catch(() => undefined);
    if (!isFileError(thrown)) throw thrown;
    throw new UserError(
      "resource",
      `The report cannot be written to ${input.file}: ${messageOf(thrown)}. ` +
        "Choose another folder, close the file where it is open, or free some space.",
      { cause: thrown },
    );
  }
}

function openSheet(facts: ReportFacts): Sheet {
  const cohort = plain(facts.overview.summary.name);
  return new Sheet({
    title: "Accuracy and fairness of a chest radiograph model under differential privacy",
    subject: `Cohort ${cohort}: private run ${facts.privateRun.id}, reference run ${facts.referenceRun.id}`,
    headerLeft: `Silhouette report: ${cohort}`,
    headerRight: timeText(facts.generatedAt),
    createdAt: new Date(facts.generatedAt),
  });
}

/** The sections in their order; returns the number of pages. */
function writeSections(sheet: Sheet, pen: Pen, facts: ReportFacts): number {
  writeTitle(sheet, facts);
  writePrivacy(sheet, pen, facts);
  writeAudit(sheet, pen, facts);
  writeCohort(sheet, pen, facts);
  writeMethod(sheet, facts);
  writeResults(sheet, pen, facts);
  writeSubgroups(sheet, facts);
  writeFairness(sheet, pen, facts);
  writeLedger(sheet, facts);
  writeLimits(sheet, facts);
  writeGlossary(sheet, facts);
  return sheet.finish();
}

function isFileError(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string";
}
