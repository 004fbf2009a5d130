import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keysOf } from "../../../src/shared/findings.ts";
import { cohortOverview } from "../../../src/main/store/cohort-overview.ts";
import { openDatabase, transaction, type Database } from "../../../src/main/store/database.ts";
import { changesSince, filmStateOf } from "../../../src/main/store/film-changes.ts";
import { readFilmColumns, type FilmColumns } from "../../../src/main/store/film-columns.ts";
import {
  columnsAtHand,
  orderedFilms,
  prepareFilmIndex,
} from "../../../src/main/store/film-index.ts";
import { placesInOrder } from "../../../src/main/store/film-selection.ts";
import { keepFilmColumns, keptFilmColumns } from "../../../src/main/store/film-snapshot.ts";
import { addCohort } from "../../support/store.ts";
import { addImage } from "./fixtures.ts";

const labelKeys = keysOf("sided");
let folder: string;
let file: string;
/** The process whose columns are followed, and another one that has the same store open. */
let database: Database;
let other: Database;
let cohortId: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "silhouette-index-"));
  file = join(folder, "silhouette.sqlite");
  database = openDatabase(file);
  // What is written here need not survive a power cut.
  database.pragma("synchronous = OFF");
  other = openDatabase(file);
  other.pragma("synchronous = OFF");
  cohortId = addCohort(database, 32);
  for (let film = 0; film < 12; film++) add(database, film, film % 5);
  await prepareFilmIndex(database, cohortId);
});

afterEach(() => {
  database.close();
  other.close();
  rmSync(folder, { recursive: true, force: true });
});

let instances = 0;

function add(into: Database, seed: number, patient: number): number {
  const id = addImage(into, cohortId, {
    patient: ((patient * 2654435761) >>> 0).toString(16),
    sex: patient % 3 === 0 ? null : patient % 2 === 0 ? "F" : "M",
    instance: `film ${instances}`,
    content: `content ${instances++}`,
    ageYears: seed % 7 === 0 ? null : seed * 3.25,
    status: seed % 4 === 0 ? "set-aside" : "included",
  });
  into
    .prepare("UPDATE image SET view_position = ? WHERE id = ?")
    .run(["PA", "AP", "", null][seed % 4], id);
  return id;
}

/** One of the store's rows, by any number. */
function oneOf(into: Database, table: "image" | "patient", number: number): number {
  const ids = into.prepare(`SELECT id FROM ${table} ORDER BY id`).pluck().all() as number[];
  return ids[number % ids.length] ?? 0;
}

type Edit = (into: Database, a: number, b: number) => void;

const edits: Readonly<Record<string, Edit>> = {
  add: (into, a, b) => add(into, a, b % 9),
  status: (into, a, b) =>
    into
      .prepare("UPDATE image SET status = ?, status_reason = ? WHERE id = ?")
      .run(
        b % 2 === 0 ? "included" : "set-aside",
        b % 2 === 0 ? null : `Reason ${b % 3}.`,
        oneOf(into, "image", a),
      ),
  view: (into, a, b) =>
    into
      .prepare("UPDATE image SET view_position = ?, age_years = ? WHERE id = ?")
      .run(`view ${b}`, b / 8, oneOf(into, "image", a)),
  label(into, a, b) {
    const image = oneOf(into, "image", a);
    const reading = into
      .prepare(
        `INSERT INTO reading (image_id, reader, source, grades, recorded_at)
         VALUES (?, 'test', 'test', '{}', '2026-01-01') RETURNING id`,
      )
      .pluck()
      .get(image) as number;
    into
      .prepare(
        `INSERT INTO consensus (image_id, finding, grade, reading_id) VALUES (?, ?, ?, ?)
         ON CONFLICT (image_id, finding) DO UPDATE SET grade = excluded.grade`,
      )
      .run(image, labelKeys[b % labelKeys.length], (a + b) % 5, reading);
  },
  unlabel: (into, a) =>
    into.prepare("DELETE FROM consensus WHERE image_id = ?").run(oneOf(into, "image", a)),
  subgroup: (into, a, b) =>
    into
      .prepare(
        `INSERT INTO image_subgroup (image_id, name, value, source, recorded_at)
         VALUES (?, ?, ?, 'test', '2026-01-01')
         ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value`,
      )
      .run(oneOf(into, "image", a), a % 3 === 0 ? "ward" : "scanner", `value ${b}`),
  sex: (into, a, b) =>
    into
      .prepare("UPDATE patient SET sex = ? WHERE id = ?")
      .run(["F", "M", "O", null][b % 4], oneOf(into, "patient", a)),
  comorbidity: (into, a, b) =>
    into
      .prepare(
        `INSERT INTO attribute (patient_id, name, value, source, recorded_at)
         VALUES (?, ?, ?, 'test', '2026-01-01')
         ON CONFLICT (patient_id, name) DO UPDATE SET value = excluded.value`,
      )
      .run(oneOf(into, "patient", a), b % 5 === 0 ? "another" : "comorbidity_count", b % 6),
  patient: (into, a) =>
    into
      .prepare("INSERT INTO patient (cohort_id, pseudonym) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .run(cohortId, `patient ${a}`),
  date: (into, a, b) =>
    into
      .prepare(
        `UPDATE study SET shifted_date = ? WHERE id = (SELECT study_id FROM series
           JOIN image ON image.series_id = series.id WHERE image.id = ?)`,
      )
      .run(b % 5 === 0 ? null : `2020-01-${String(b)}`, oneOf(into, "image", a)),
  split(into, a) {
    const split = into
      .prepare(
        `INSERT INTO split (cohort_id, created_at, train_fraction, validation_fraction,
           test_fraction) VALUES (?, '2026-01-01', 0.6, 0.2, 0.2) RETURNING id`,
      )
      .pluck()
      .get(cohortId) as number;
    into
      .prepare(
        `INSERT INTO split_member (split_id, patient_id, part)
         SELECT ?, id, CASE (id + ?) % 3 WHEN 0 THEN 'train' WHEN 1 THEN 'test'
           ELSE 'validation' END FROM patient WHERE cohort_id = ? AND id % 4 <> 0`,
      )
      .run(split, a, cohortId);
  },
  move: (into, a) =>
    into.exec(
      `UPDATE split_member SET part = 'test' WHERE patient_id = ${oneOf(into, "patient", a)}`,
    ),
  remove(into, a) {
    const image = oneOf(into, "image", a);
    for (const table of ["source_file", "image_subgroup", "consensus"]) {
      into.prepare(`DELETE FROM ${table} WHERE image_id = ?`).run(image);
    }
    const hasReadings =
      into.prepare("SELECT count(*) FROM reading WHERE image_id = ?").pluck().get(image) !== 0;
    if (!hasReadings) into.prepare("DELETE FROM image WHERE id = ?").run(image);
  },
};

/** Each film's values in words, whatever texts the ranks stand for. */
function decoded(columns: FilmColumns) {
  const { texts, ranks } = columns;
  return [...columns.ids].map((id, place) => {
    const text = (column: keyof typeof texts) => texts[column][(ranks[column][place] ?? 0) - 1];
    return {
      id,
      patient: text("patient"),
      sex: text("sex"),
      part: text("part"),
      status: text("status"),
      viewPosition: text("viewPosition"),
      studyDate: text("studyDate"),
      ageYears: ranks.ageYears[place],
      comorbidity: columns.comorbidities[(ranks.patient[place] ?? 0) - 1],
      grades: labelKeys.map((finding) => columns.grades[finding]?.[place]),
      subgroups: [...columns.subgroups]
        .map(([name, each]) => [name, each.texts[(each.ranks[place] ?? 0) - 1]])
        .filter(([, value]) => value !== undefined)
        .toSorted(),
    };
  });
}

function fromNothing(from: Database): FilmColumns {
  const reading = readFilmColumns(from, cohortId);
  let step = reading.next();
  while (step.done !== true) step = reading.next();
  return step.value;
}

const sortColumns = ["patient", "studyDate", "ageYears", "viewPosition", "part"] as const;

/** What `from` answers, and that its columns are those that are read from nothing. */
function expectPresent(from: Database): void {
  const nothing = fromNothing(from);
  const answers = sortColumns.map((column) => [
    ...orderedFilms(from, { cohortId, filter: {}, sort: { column, descending: false } }),
  ]);
  const overview = cohortOverview(from, cohortId);
  const columns = columnsAtHand(from, cohortId);
  if (columns !== null) {
    expect(decoded(columns)).toEqual(decoded(nothing));
    for (const texts of Object.values(columns.texts)) expect(texts).toEqual(texts.toSorted());
    expect(columns.texts.patient).toEqual(nothing.texts.patient);
  }
  sortColumns.forEach((column, i) => {
    const places = placesInOrder(nothing, column);
    expect(answers[i]).toEqual(Array.from(places, (place) => nothing.ids[place]));
  });
  if (from.inTransaction) return;
  const fresh = openDatabase(file);
  try {
    expect(overview).toEqual(cohortOverview(fresh, cohortId));
  } finally {
    fresh.close();
  }
}

const anyEdit = fc.record({
  edit: fc.constantFrom(...Object.keys(edits)),
  by: fc.constantFrom("own", "other"),
  how: fc.constantFrom("plain", "plain", "together", "taken back", "in part"),
  a: fc.nat(40),
  b: fc.nat(40),
  look: fc.boolean(),
  keep: fc.constantFrom(true, false, false, false),
});

class TakenBack extends Error {}

function takeBack(into: Database, body: () => void): void {
  const work = into.transaction(() => {
    body();
    throw new TakenBack();
  });
  expect(work).toThrow(TakenBack);
}

describe("the columns in memory", () => {
  it("are those read from nothing after any edits, by any process, taken back or not", () => {
    fc.assert(
      fc.property(fc.array(anyEdit, { minLength: 1, maxLength: 12 }), (steps) => {
        for (const { edit, by, how, a, b, look, keep } of steps) {
          const into = by === "own" ? database : other;
          const apply = () => edits[edit]?.(into, a, b);
          if (how === "plain") apply();
          else if (how === "together") {
            transaction(into, () => {
              apply();
              expectPresent(into);
              edits["status"]?.(into, b, a);
            });
          } else if (how === "taken back") {
            takeBack(into, () => {
              apply();
              // What is seen of it now must not be seen afterwards.
              expectPresent(into);
            });
          } else {
            transaction(into, () => {
              takeBack(into, () => {
                apply();
                expectPresent(into);
              });
              edits["label"]?.(into, a, b);
            });
          }
          if (look) expectPresent(database);
          const columns = keep ? columnsAtHand(database, cohortId) : null;
          if (columns !== null) {
            keepFilmColumns(database, cohortId, filmStateOf(database, cohortId), columns);
          }
        }
        expectPresent(database);
        expectPresent(other);
      }),
      { seed: 20261124, numRuns: 60 },
    );
  });

  it("follow a single change without a read of all films", () => {
    const before = columnsAtHand(database, cohortId);
    edits["label"]?.(other, 3, 1);
    edits["status"]?.(database, 4, 1);
    // Unless films come, the same arrays are changed.
    expect(columnsAtHand(database, cohortId)?.ids).toBe(before?.ids);
    expectPresent(database);
  });

  it("follow films that change while they are read", async () => {
    const reader = openDatabase(file);
    const ready = prepareFilmIndex(reader, cohortId);
    let turns = 0;
    for (const name of ["add", "label", "subgroup", "split", "date", "comorbidity"]) {
      await new Promise((resolve) => setImmediate(resolve));
      edits[name]?.(turns % 2 === 0 ? database : reader, turns, turns + 1);
      turns++;
    }
    await ready;
    expectPresent(reader);
    reader.close();
  });
});

describe("the log of changes", () => {
  it("gives one entry to changes of one film after the other", () => {
    const before = filmStateOf(database, cohortId);
    const film = oneOf(database, "image", 0);
    for (let finding = 0; finding < 4; finding++) edits["label"]?.(database, 0, finding);
    const after = filmStateOf(database, cohortId);
    expect(after).toEqual({ revision: before.revision + 4, entry: before.entry + 1 });
    expect(changesSince(database, cohortId, before)?.films).toContain(film);
    // Whoever has seen some of them sees the rest.
    edits["label"]?.(other, 0, 5);
    expect(filmStateOf(database, cohortId).entry).toBe(after.entry);
    expect(changesSince(database, cohortId, after)?.films).toEqual([film]);
  });

  it("says nothing of what the table does not show", () => {
    const before = filmStateOf(database, cohortId);
    database.exec(`UPDATE image SET frame_checksum = frame_checksum + 1;
      UPDATE image SET status = status, age_years = age_years;
      UPDATE patient SET sex = coalesce(sex, sex)`);
    edits["comorbidity"]?.(database, 0, 5);
    expect(filmStateOf(database, cohortId)).toEqual(before);
  });

  it("is trimmed, and whoever has missed what it no longer holds reads all films", () => {
    const before = filmStateOf(database, cohortId);
    const [first, second] = [oneOf(database, "image", 0), oneOf(database, "image", 1)];
    const set = other.prepare("UPDATE image SET age_years = ? WHERE id = ?");
    transaction(other, () => {
      for (let i = 0; i < 35_000; i++) {
        set.run(i, first);
        set.run(i + 0.5, second);
      }
    });
    const held = database.prepare("SELECT count(*) FROM film_change").pluck().get() as number;
    expect(held).toBeLessThanOrEqual(65_536);
    expect(changesSince(database, cohortId, before)).toBeNull();
    expectPresent(database);
  });
});

describe("columns kept in the store", () => {
  it("are what was kept, and lead a new process to the present", () => {
    for (const name of ["label", "subgroup", "split", "date", "comorbidity", "view"]) {
      edits[name]?.(database, 5, 3);
    }
    const state = filmStateOf(database, cohortId);
    const columns = columnsAtHand(database, cohortId);
    if (columns === null) throw new Error("no columns in memory");
    keepFilmColumns(database, cohortId, state, columns);
    const kept = keptFilmColumns(other, cohortId);
    expect(kept?.state).toEqual(state);
    expect(kept && decoded(kept.columns)).toEqual(decoded(columns));
    edits["add"]?.(database, 8, 8);
    edits["label"]?.(database, 2, 2);
    const late = openDatabase(file);
    expectPresent(late);
    late.close();
  });

  it("are not waited for while another process writes", () => {
    const columns = columnsAtHand(database, cohortId);
    if (columns === null) throw new Error("no columns in memory");
    transaction(other, () => {
      edits["label"]?.(other, 1, 1);
      const started = performance.now();
      keepFilmColumns(database, cohortId, filmStateOf(database, cohortId), columns);
      expect(performance.now() - started).toBeLessThan(2_000);
    });
    expect(keptFilmColumns(database, cohortId)).toBeNull();
    expect(database.pragma("busy_timeout", { simple: true })).toBe(10_000);
  });
});
