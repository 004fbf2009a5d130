import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Pause as IntakePause } from "../../intake/options.ts";
import type { LabelPreview, RowProblem, TableReading } from "../../../shared/contract.ts";
import type { ImportResult } from "../../../shared/domain.ts";
import { UserError } from "../../../shared/errors.ts";
import { archiveAbove } from "../../dicom/archive.ts";
import { importPaths } from "../../intake/intake.ts";
import { filmTable, type FilmTable } from "../../intake/film-table.ts";
import { tableLabels } from "../../intake/label-columns.ts";
import { readLabels, type LabelReading } from "../../intake/label-reading.ts";
import { readLabelTable } from "../../intake/label-table.ts";
import { importLabels, matchLabels, type LabelKeys } from "../../intake/labels.ts";
import { generatePhantoms } from "../../phantoms/generate.ts";
import { cohortSummary } from "../../store/cohorts.ts";
import { prepareFilmIndex } from "../../store/film-index.ts";
import { sourcePathsOfImage } from "../../store/images.ts";
import { quarantinePage } from "../../store/quarantine.ts";
import type { CoreContext } from "../context.ts";
import type { JobControl } from "../jobs.ts";
import type { Handlers } from "./types.ts";

type IntakeProcedures =
  | "intake:start"
  | "intake:name-pictures"
  | "phantoms:start"
  | "labels:columns"
  | "labels:preview"
  | "labels:import";

const rowsPreviewed = 8;
const problemsPreviewed = 20;

export function intakeHandlers(context: CoreContext): Handlers<IntakeProcedures> {
  const { database, jobs } = context;
  return {
    "intake:start": ({ cohortId, paths, table }) => {
      const names = table === null ? null : namesOf(context, cohortId, table);
      cohortSummary(database, cohortId);
      const jobId = jobs.start(
        { kind: "intake", cohortId, phase: "Looking for films", unit: "files" },
        (control) => runIntake(context, cohortId, paths, control, names),
      );
      return { jobId };
    },

    "intake:name-pictures": ({ cohortId, table }) => {
      const names = namesOf(context, cohortId, table);
      const paths = picturesWaiting(context, cohortId);
      const jobId = jobs.start(
        { kind: "intake", cohortId, phase: "Looking for films", unit: "files" },
        (control) => runIntake(context, cohortId, paths, control, names),
      );
      return { jobId };
    },

    "phantoms:start": ({ cohortId, patients, seed, sizePixels }) => {
      cohortSummary(database, cohortId);
      const folder = join(
        context.dataFolder,
        "phantoms",
        `cohort-${cohortId}-${patients}-${seed}-${sizePixels}-${Date.now()}`,
      );
      const jobId = jobs.start(
        { kind: "phantoms", cohortId, phase: "Making phantoms", unit: "patients" },
        async (control) => {
          mkdirSync(folder, { recursive: true });
          await generatePhantoms({
            folder,
            patients,
            seed,
            sizePixels,
            signal: control.signal,
            onProgress: ({ patientsDone, patients: total }) => {
              control.report({ phase: "Making phantoms", done: patientsDone, total });
            },
          });
          const imported = await runIntake(context, cohortId, [folder], control);
          if (imported.cancelled) return imported;
          const labels = { ...ownTable, file: join(folder, "labels.csv") };
          await runLabelImport(context, cohortId, readTable(context, cohortId, labels), control);
          return imported;
        },
      );
      return { jobId };
    },

    "labels:columns": ({ file }) => tableLabels(readLabelTable(file)),

    "labels:preview": ({ cohortId, ...reading }) =>
      preview(context, cohortId, readTable(context, cohortId, reading)),

    "labels:import": ({ cohortId, ...reading }) => {
      cohortSummary(database, cohortId);
      const jobId = jobs.start(
        { kind: "labels", cohortId, phase: "Reading the table", unit: "rows" },
        async (control) => {
          // Lets the answer with the job's number leave before the table keeps this process busy.
          await new Promise((resolve) => setImmediate(resolve));
          control.signal.throwIfAborted();
          return runLabelImport(context, cohortId, readTable(context, cohortId, reading), control);
        },
      );
      return { jobId };
    },
  };
}

function readTable(
  { database }: CoreContext,
  cohortId: number,
  { file, ...options }: TableReading,
): LabelReading {
  const { positiveAtGrade, scheme } = cohortSummary(database, cohortId);
  return readLabels(file, { ...options, positiveAtGrade, scheme });
}

/** @throws UserError "not-found" where none waits, or none is where it was. */
function picturesWaiting({ database, identity }: CoreContext, cohortId: number): string[] {
  const waiting = quarantinePage(database, identity, { cohortId, code: "no-table" });
  const paths = waiting.map(({ path }) => archiveAbove(path) ?? path).filter(existsSync);
  if (paths.length > 0) return [...new Set(paths)];
  throw new UserError("not-found", "No picture waits for a table. Add the folder of films again.");
}

/** @throws UserError "input" where the table cannot be read as chosen. */
function namesOf(context: CoreContext, cohortId: number, table: TableReading): FilmTable {
  const reading = readTable(context, cohortId, table);
  if (reading.problems.length > 0) {
    throw new UserError("input", `${reading.table.name}: ${reading.problems.join(" ")}`);
  }
  return filmTable(reading);
}

function preview(context: CoreContext, cohortId: number, reading: LabelReading): LabelPreview {
  const { table, preset } = reading;
  const match = matchLabels({ ...filmNamesOf(context), cohortId, reading });
  const some = (rows: readonly RowProblem[]) => ({
    count: rows.length,
    first: rows.slice(0, problemsPreviewed),
  });
  return {
    columns: table.columns,
    rows: table.rows.slice(0, rowsPreviewed),
    totalRows: table.rows.length,
    preset: preset === null ? null : { name: preset.name, title: preset.title },
    meanings: reading.meanings,
    mapping: reading.mapping,
    notes: reading.notes,
    problems: reading.problems,
    tally: reading.tally,
    matched: match.matched.length,
    unmatched: some(match.unmatched),
    invalid: some(match.invalid),
    filmsWithoutRow: match.filmsWithoutRow.length,
  };
}

/** What a table's names are matched to films with. */
function filmNamesOf({ database, identity }: CoreContext) {
  const keys: LabelKeys = {
    patient: (identifier) => identity.pseudonym("patient", identifier),
    instance: (uid) => identity.pseudonym("instance", uid),
    fileName: (name) => identity.pseudonym("file-name", name),
  };
  const pathsOf = (imageId: number) => sourcePathsOfImage(database, identity, imageId);
  return { database, keys, pathsOf };
}

const ownTable = { preset: "own", mapping: null, uncertain: "missing" } as const;

/** Whoever listens counts the films anew and shows them. */
const tellEveryMilliseconds = 2000;

/** Imports as a job that can be paused and cancelled. */
export async function runIntake(
  context: CoreContext,
  cohortId: number,
  paths: readonly string[],
  control: JobControl,
  table: FilmTable | null = null,
  retryQuarantined = false,
): Promise<ImportResult> {
  const { database, dataFolder } = context;
  let imported = 0;
  let tellAgainAt = 0;
  try {
    const result = await importPaths({
      database,
      dataFolder,
      cohortId,
      paths,
      table,
      retryQuarantined,
      signal: control.signal,
      pause: {
        get paused() {
          return control.paused();
        },
        resumed: control.whileRunning,
      } satisfies Pick<IntakePause, "paused" | "resumed">,
      onProgress: (progress) => {
        control.report({
          phase: phases[progress.phase],
          done: progress.done,
          total: progress.total,
        });
        if (progress.imported > imported && performance.now() >= tellAgainAt) {
          imported = progress.imported;
          tellAgainAt = performance.now() + tellEveryMilliseconds;
          context.emit("cohort:changed", { cohortId });
        }
      },
    });
    // Whoever opens the cohort next does not have to read all films.
    await prepareFilmIndex(database, cohortId);
    return result;
  } finally {
    context.emit("cohort:changed", { cohortId });
  }
}

const phases = {
  "looking for films": "Looking for films",
  importing: "Importing",
  paused: "Paused",
  finishing: "Finishing",
} as const;

async function runLabelImport(
  context: CoreContext,
  cohortId: number,
  reading: LabelReading,
  control: JobControl,
) {
  try {
    const result = importLabels({
      ...filmNamesOf(context),
      cohortId,
      reading,
      onProgress: (done, total) => {
        control.report({ phase: "Importing labels", done, total });
      },
    });
    await prepareFilmIndex(context.database, cohortId);
    return result;
  } finally {
    context.emit("cohort:changed", { cohortId });
  }
}
