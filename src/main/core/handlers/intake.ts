import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Pause as IntakePause } from "../../intake/options.ts";
import type { ImportResult } from "../../../shared/domain.ts";
import { importPaths } from "../../intake/intake.ts";
import {
  mappingProblems,
  proposeMapping,
  readLabelTable,
  type LabelTable,
} from "../../intake/label-table.ts";
import { importLabels } from "../../intake/labels.ts";
import { generatePhantoms } from "../../phantoms/generate.ts";
import { cohortSummary } from "../../store/cohorts.ts";
import type { CoreContext } from "../context.ts";
import type { JobControl } from "../jobs.ts";
import type { Handlers } from "./types.ts";

type IntakeProcedures = "intake:start" | "phantoms:start" | "labels:preview" | "labels:import";

const rowsPreviewed = 8;

export function intakeHandlers(context: CoreContext): Handlers<IntakeProcedures> {
  const { database, jobs } = context;
  return {
    "intake:start": ({ cohortId, paths }) => {
      cohortSummary(database, cohortId);
      const jobId = jobs.start(
        { kind: "intake", cohortId, phase: "Looking for films", unit: "files" },
        (control) => runIntake(context, cohortId, paths, control),
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
          runLabelImport(context, cohortId, readLabelTable(join(folder, "labels.csv")), control);
          return imported;
        },
      );
      return { jobId };
    },

    "labels:preview": ({ cohortId, file, mapping }) => {
      cohortSummary(database, cohortId);
      const table = readLabelTable(file);
      const used = mapping ?? proposeMapping(table.columns);
      return {
        columns: table.columns,
        rows: table.rows.slice(0, rowsPreviewed),
        totalRows: table.rows.length,
        preset: null,
        mapping: used,
        problems: mappingProblems(table, used),
      };
    },

    "labels:import": ({ cohortId, file, mapping }) => {
      cohortSummary(database, cohortId);
      const jobId = jobs.start(
        { kind: "labels", cohortId, phase: "Reading the table", unit: "rows" },
        async (control) => {
          // Lets the answer with the job's number leave before the table keeps this process busy.
          await new Promise((resolve) => setImmediate(resolve));
          control.signal.throwIfAborted();
          return runLabelImport(context, cohortId, readLabelTable(file), control, mapping);
        },
      );
      return { jobId };
    },
  };
}

async function runIntake(
  context: CoreContext,
  cohortId: number,
  paths: readonly string[],
  control: JobControl,
): Promise<ImportResult> {
  const { database, dataFolder } = context;
  let imported = 0;
  try {
    return await importPaths({
      database,
      dataFolder,
      cohortId,
      paths,
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
        if (progress.imported > imported) {
          imported = progress.imported;
          context.emit("cohort:changed", { cohortId });
        }
      },
    });
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

function runLabelImport(
  context: CoreContext,
  cohortId: number,
  table: LabelTable,
  control: JobControl,
  mapping: Parameters<typeof importLabels>[0]["mapping"] = null,
) {
  const { identity } = context;
  try {
    return importLabels({
      database: context.database,
      cohortId,
      table,
      mapping,
      keys: {
        patient: (identifier) => identity.pseudonym("patient", identifier),
        instance: (uid) => identity.pseudonym("instance", uid),
        fileName: (name) => identity.pseudonym("file-name", name),
      },
      onProgress: (done, total) => {
        control.report({ phase: "Importing labels", done, total });
      },
    });
  } finally {
    context.emit("cohort:changed", { cohortId });
  }
}
