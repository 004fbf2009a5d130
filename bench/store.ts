import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { findingSchemes } from "../src/shared/findings.ts";
import type { ImageFilter } from "../src/shared/domain.ts";
import { imageSortSchema } from "../src/shared/contract.ts";
import { cohortOverview, cohortOverviewSoon } from "../src/main/store/cohort-overview.ts";
import { cohortSummary } from "../src/main/store/cohorts.ts";
import { openDatabase, transaction, type Database } from "../src/main/store/database.ts";
import {
  imageRow,
  imageRows,
  imageRowsSoon,
  setImageStatus,
  type ImageSort,
} from "../src/main/store/image-table.ts";
import { imageRepository } from "../src/main/store/images.ts";
import { labelWriter } from "../src/main/store/labels.ts";
import { createSplit } from "../src/main/store/splits.ts";
import { addCohort } from "../tests/support/store.ts";
import { fillCohort } from "../tests/support/filled-cohort.ts";

/**
 * How long the cohort's screens wait for the store. Opening with the overview, as the app does, in a
 * process of its own: from nothing, when every film is read, as after an update of the program, and
 * with the columns that every import keeps at its end. Then every filter and sort of the film table, each as its first page, a page in the
 * middle and the last one. Then the same questions right after an edit, and while films come. Every
 * call is the first of its kind.
 *
 *     node bench/store.ts [--images 200000] [--patients 60000]
 */
const labelKeys = findingSchemes.sided.keys;
const { values: args } = parseArgs({
  options: {
    images: { type: "string", default: "200000" },
    patients: { type: "string", default: "60000" },
    open: { type: "string" },
  },
});
const images = Number(args.images);
const patients = Number(args.patients);

let imported = 0;
if (args.open === undefined) await measure();
else console.log(JSON.stringify(await openOnce(args.open)));

interface Opening {
  readonly films: number;
  readonly pageMilliseconds: number;
  readonly overviewMilliseconds: number;
  /** The longest that the process answered nobody else. */
  readonly heldMilliseconds: number;
  readonly againMilliseconds: number;
}

async function openOnce(file: string): Promise<Opening> {
  const cohortId = 1;
  const opened = performance.now();
  const database = openDatabase(file);
  const { images: films } = cohortSummary(database, cohortId);
  page(database, cohortId, {}, { column: "id", descending: false }, 0);
  const pageMilliseconds = performance.now() - opened;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await cohortOverviewSoon(database, cohortId);
  const overviewMilliseconds = performance.now() - opened;
  // The monitor measures turns, and must see the end of the last one.
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  const againMilliseconds = timed(() => cohortOverview(database, cohortId));
  database.close();
  const heldMilliseconds = delay.max / 1e6;
  return { films, pageMilliseconds, overviewMilliseconds, heldMilliseconds, againMilliseconds };
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "silhouette-bench-"));
  try {
    const file = join(folder, "silhouette.sqlite");
    const filling = openDatabase(file);
    const cohortId = addCohort(filling, 64);
    fillCohort(filling, cohortId, { images, patients });
    filling.close();
    for (const name of ["from nothing", "after an import"]) {
      const output = execFileSync(process.execPath, [import.meta.filename, "--open", file]);
      const opening = JSON.parse(output.toString()) as Opening;
      console.log(
        `opening ${opening.films} films ${name}: first page ` +
          `${opening.pageMilliseconds.toFixed(0)} ms, with the overview ` +
          `${opening.overviewMilliseconds.toFixed(0)} ms, held up for at most ` +
          `${opening.heldMilliseconds.toFixed(0)} ms; the overview once more ` +
          `${opening.againMilliseconds.toFixed(0)} ms`,
      );
    }
    const database = openDatabase(file);
    await cohortOverviewSoon(database, cohortId);
    filtersAndSorts(database, cohortId);
    await afterEdits(database, file, cohortId);
    await whileFilmsCome(database, cohortId);
    database.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filtersAndSorts(database: Database, cohortId: number): void {
  const queries: { name: string; milliseconds: number }[] = [];
  for (const column of imageSortSchema.shape.column.options) {
    for (const descending of [false, true]) {
      for (const [where, offset] of [
        ["first", 0],
        ["middle", images / 2],
        ["last", images - 100],
      ] as const) {
        const milliseconds = timed(() =>
          page(database, cohortId, {}, { column, descending }, offset),
        );
        queries.push({
          name: `sort ${column}${descending ? " down" : ""}, ${where}`,
          milliseconds,
        });
      }
    }
  }
  const filters: Record<string, ImageFilter> = {
    status: { status: "set-aside" },
    sex: { sex: "F" },
    part: { part: "test" },
    age: { ageFrom: 60, ageTo: 70 },
    view: { viewPosition: "PA" },
    finding: { finding: labelKeys[0] },
    patient: { patient: "00ab" },
    subgroup: { subgroup: { name: "ward", value: "2" } },
    "large subgroup": { subgroup: { name: "scanner", value: "portable" } },
    all: {
      status: "included",
      sex: "M",
      part: "train",
      ageFrom: 50,
      ageTo: 80,
      finding: labelKeys[2],
    },
    nothing: { ageFrom: 119, ageTo: 120 },
  };
  for (const [name, filter] of Object.entries(filters)) {
    for (const column of ["id", "patient", "ageYears"] as const) {
      const sort: ImageSort = { column, descending: false };
      let total = 0;
      const first = timed(() => {
        ({ total } = page(database, cohortId, filter, sort, 0));
      });
      queries.push({ name: `filter ${name} by ${column}, first page`, milliseconds: first });
      const last = timed(() => page(database, cohortId, filter, sort, Math.max(0, total - 100)));
      queries.push({ name: `filter ${name} by ${column}, last page`, milliseconds: last });
    }
  }
  queries.sort((a, b) => b.milliseconds - a.milliseconds);
  console.log(`${queries.length} filters and sorts; the slowest:`);
  for (const { name, milliseconds } of queries.slice(0, 12)) {
    console.log(`  ${milliseconds.toFixed(1).padStart(7)} ms  ${name}`);
  }
  const middle = queries[Math.floor(queries.length / 2)];
  console.log(`median ${(middle?.milliseconds ?? 0).toFixed(1)} ms`);
}

/** What is asked right after an edit: the questions that need most of what is kept. */
async function questions(database: Database, cohortId: number): Promise<Record<string, number>> {
  const filter: ImageFilter = { sex: "M", finding: labelKeys[2], ageFrom: 50 };
  const byPatient: ImageSort = { column: "patient", descending: false };
  const byAge: ImageSort = { column: "ageYears", descending: true };
  const first = await timedSoon(() =>
    imageRowsSoon(database, { cohortId, filter, sort: byPatient, offset: 0, limit: 100 }),
  );
  return {
    "a filter by patient, asked first": first,
    "all by age": timed(() => page(database, cohortId, {}, byAge, images / 2)),
    "the overview": await timedSoon(() => cohortOverviewSoon(database, cohortId)),
  };
}

async function afterEdits(database: Database, file: string, cohortId: number): Promise<void> {
  const anotherProcess = openDatabase(file);
  const label = (into: Database, film: number) => () => {
    const grade = imageRow(into, film).grades[labelKeys[0]] === 4 ? 0 : 4;
    labelWriter(into).addReading({
      imageId: film,
      reader: "bench",
      source: "bench",
      grades: { [labelKeys[0]]: grade },
    });
  };
  const edits: Record<string, () => unknown> = {
    "a label": label(database, 1000),
    "a label, once more": label(database, 90_000),
    "a label, by another process": label(anotherProcess, 1000),
    "a film set aside": () => setImageStatus(database, 2000, "set-aside", "bench"),
    "a sex filled in by a table": () => {
      database.exec("UPDATE patient SET sex = NULL WHERE id = 77");
      labelWriter(database).fillSex(77, "F", "bench");
    },
    "100 films imported": () => {
      importFilms(database, cohortId, 100);
    },
    "5000 films imported": () => {
      importFilms(database, cohortId, 5000);
    },
    "a new split": () =>
      createSplit(database, cohortId, { train: 0.7, validation: 0.1, test: 0.2 }),
  };
  console.log("right after an edit, in ms:");
  for (const [name, edit] of Object.entries(edits)) {
    edit();
    console.log(`  ${name.padEnd(28)} ${listed(await questions(database, cohortId))}`);
  }
  anotherProcess.close();
}

/** Films come in the batches in which intake commits them; after each the screens ask again. */
async function whileFilmsCome(database: Database, cohortId: number): Promise<void> {
  const batches = 60;
  const all: Record<string, number[]> = {};
  for (let batch = 0; batch < batches; batch++) {
    importFilms(database, cohortId, 64);
    for (const [name, milliseconds] of Object.entries(await questions(database, cohortId))) {
      (all[name] ??= []).push(milliseconds);
    }
  }
  const figures = Object.entries(all).map(([name, each]): [string, number] => [
    `${name} (median ${each.toSorted((a, b) => a - b)[batches / 2]?.toFixed(0) ?? ""})`,
    Math.max(...each),
  ]);
  console.log(
    `while films come, ${batches} times 64, the longest in ms: ${listed(Object.fromEntries(figures))}`,
  );
}

/** As intake records films, every third of a new patient. */
function importFilms(database: Database, cohortId: number, count: number): void {
  const films = imageRepository(database, cohortId);
  transaction(database, () => {
    for (let i = 0; i < count; i++) {
      const number = imported++;
      const name = (kind: string) => createHash("md5").update(`${kind} ${number}`).digest("hex");
      const patient = createHash("md5")
        .update(`patient ${number - (number % 3)}`)
        .digest("hex");
      films.addImage({
        patient: { pseudonym: patient, identifierKey: patient, sex: "F" },
        study: { pseudonym: name("study"), shiftedDate: "2024-02-03" },
        series: { pseudonym: name("series"), modality: "DX", manufacturer: "Maker" },
        instancePseudonym: name("instance"),
        contentHash: name("content").repeat(2),
        status: "included",
        statusReason: null,
        asideCode: null,
        reviewFlag: null,
        lettering: null,
        shiftedSecond: null,
        viewPosition: "PA",
        photometricInterpretation: "MONOCHROME2",
        transferSyntax: "1.2.840.10008.1.2.1",
        rows: 2048,
        columns: 2048,
        bitsStored: 12,
        ageYears: 61.5,
        frame: { shard: "bench", position: number * 4096, bytes: 4096, checksum: number },
      });
    }
  });
}

function listed(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(0)}`)
    .join(", ");
}

function page(
  database: Database,
  cohortId: number,
  filter: ImageFilter,
  sort: ImageSort,
  offset: number,
) {
  return imageRows(database, { cohortId, filter, sort, offset, limit: 100 });
}

/** One call in milliseconds: the first of its kind, since answers are kept from then on. */
function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

async function timedSoon(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
