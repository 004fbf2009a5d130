import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImageFilter } from "../../../src/shared/domain.ts";
import { imageSortSchema } from "../../../src/shared/contract.ts";
import { keysOf } from "../../../src/shared/findings.ts";
import { ageBins } from "../../../src/shared/subgroups.ts";
import { cohortOverview, cohortOverviewSoon } from "../../../src/main/store/cohort-overview.ts";
import { cohortSummary } from "../../../src/main/store/cohorts.ts";
import { openDatabase, transaction, type Database } from "../../../src/main/store/database.ts";
import {
  attributeSources,
  imageRow,
  imageRows,
  imageRowsSoon,
  setImageStatus,
  type ImageSort,
} from "../../../src/main/store/image-table.ts";
import { prepareFilmIndex } from "../../../src/main/store/film-index.ts";
import { labelWriter } from "../../../src/main/store/labels.ts";
import { createSplit } from "../../../src/main/store/splits.ts";
import { seeded } from "../../support/films.ts";
import { addImage, openTestStore } from "./fixtures.ts";

const labelKeys = keysOf("sided");
const films = 120;
let database: Database;
let cohortId: number;

beforeAll(() => {
  ({ database, cohortId } = openTestStore());
  const random = seeded(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const labels = labelWriter(database);
  transaction(database, () => {
    for (let film = 0; film < films; film += 1) {
      const patient = Math.floor(random() * 40);
      const id = addImage(database, cohortId, {
        patient: ((patient * 2654435761) >>> 0).toString(16),
        sex: patient % 5 === 0 ? null : patient % 2 === 0 ? "F" : "M",
        instance: `film ${film}`,
        content: `content ${film}`,
        ageYears: random() < 0.1 ? null : Math.floor(random() * 900) / 10,
        status: random() < 0.2 ? "set-aside" : "included",
      });
      database
        .prepare("UPDATE image SET view_position = ? WHERE id = ?")
        .run(pick(["PA", "AP", "", null]), id);
      database
        .prepare(
          `UPDATE study SET shifted_date = ? WHERE id =
             (SELECT study_id FROM series JOIN image ON image.series_id = series.id
              WHERE image.id = ?)`,
        )
        .run(pick(["2020-01-02", "2019-12-31", null]), id);
      label(id, labelKeys[film % labelKeys.length] ?? "cardiomegaly", Math.floor(random() * 5));
      if (film % 3 !== 0) labels.setSubgroup(id, "ward", `ward ${film % 5}`, "wards.csv");
    }
  });
  // A second cohort, whose films must never show up in the first.
  const other = openOtherCohort();
  addImage(database, other, { patient: "zz", sex: "F", instance: "other", content: "other" });
  createSplit(database, cohortId, { train: 0.6, validation: 0.2, test: 0.2 });
});

afterAll(() => {
  database.close();
});

function label(imageId: number, finding: string, grade: number): void {
  const reading = database
    .prepare(
      `INSERT INTO reading (image_id, reader, source, grades, recorded_at)
       VALUES (?, 'test', 'test', '{}', '2026-01-01') RETURNING id`,
    )
    .pluck()
    .get(imageId) as number;
  database
    .prepare("INSERT INTO consensus (image_id, finding, grade, reading_id) VALUES (?, ?, ?, ?)")
    .run(imageId, finding, grade, reading);
}

function openOtherCohort(): number {
  return Number(
    database
      .prepare(
        `INSERT INTO cohort (name, created_at, frame_pixels, pixel_pipeline, positive_at_grade)
         VALUES ('other', '2026-01-01', 64, 'test', 2)`,
      )
      .run().lastInsertRowid,
  );
}

/** The same question in plain SQL. */
function bySql(filter: ImageFilter, sort: ImageSort): number[] {
  const order = {
    id: "image.id",
    patient: "patient.pseudonym",
    studyDate: "study.shifted_date",
    ageYears: "image.age_years",
    sex: "patient.sex",
    viewPosition: "image.view_position",
    status: "image.status",
    part: "split_member.part",
  }[sort.column];
  const direction = sort.descending ? "DESC" : "ASC";
  return database
    .prepare(
      `SELECT image.id FROM image
       JOIN patient ON patient.id = image.patient_id
       JOIN series ON series.id = image.series_id
       JOIN study ON study.id = series.study_id
       LEFT JOIN split_member ON split_member.patient_id = patient.id
       WHERE image.cohort_id = :cohort
         AND (:status IS NULL OR image.status = :status)
         AND (:sex IS NULL OR patient.sex = :sex)
         AND (:part IS NULL OR split_member.part = :part)
         AND (:view IS NULL OR image.view_position = :view)
         AND (:from IS NULL OR image.age_years >= :from)
         AND (:to IS NULL OR image.age_years <= :to)
         AND (:patient IS NULL OR instr(patient.pseudonym, :patient) = 1)
         AND (:finding IS NULL OR EXISTS (SELECT 1 FROM consensus WHERE image_id = image.id
           AND finding = :finding AND grade >= 2))
         AND (:ward IS NULL OR EXISTS (SELECT 1 FROM image_subgroup WHERE image_id = image.id
           AND name = 'ward' AND value = :ward))
       ORDER BY ${order} ${direction}, image.id ${direction}`,
    )
    .pluck()
    .all({
      cohort: cohortId,
      status: filter.status ?? null,
      sex: filter.sex ?? null,
      part: filter.part ?? null,
      view: filter.viewPosition ?? null,
      from: filter.ageFrom ?? null,
      to: filter.ageTo ?? null,
      patient: filter.patient ?? null,
      finding: filter.finding ?? null,
      ward: filter.subgroup?.value ?? null,
    }) as number[];
}

const filters = fc.record(
  {
    status: fc.constantFrom("included" as const, "set-aside" as const),
    sex: fc.constantFrom("F" as const, "M" as const, "O" as const),
    part: fc.constantFrom("train" as const, "validation" as const, "test" as const),
    ageFrom: fc.integer({ min: 0, max: 60 }),
    ageTo: fc.integer({ min: 30, max: 100 }),
    viewPosition: fc.constantFrom("PA", "AP", "", "LL"),
    patient: fc.constantFrom("", "1", "9e", "f", "nobody"),
    finding: fc.constantFrom(...labelKeys),
    subgroup: fc.record({
      name: fc.constant("ward"),
      value: fc.constantFrom("ward 1", "ward 4", "no ward"),
    }),
  },
  { requiredKeys: [] },
);
const sorts = fc.record({
  column: fc.constantFrom(...imageSortSchema.shape.column.options),
  descending: fc.boolean(),
});

describe("the film table", () => {
  it("answers any filter and sort as plain SQL does, page by page", () => {
    fc.assert(
      fc.property(
        filters,
        sorts,
        fc.nat(60),
        fc.integer({ min: 1, max: 50 }),
        (f, s, offset, n) => {
          const { total, rows } = imageRows(database, {
            cohortId,
            filter: f,
            sort: s,
            offset,
            limit: n,
          });
          const expected = bySql(f, s);
          expect(total).toBe(expected.length);
          expect(rows.map((row) => row.id)).toEqual(expected.slice(offset, offset + n));
        },
      ),
      { seed: 20260103, numRuns: 400 },
    );
  });

  it("sees every change at once, also one of another process", () => {
    const query = {
      cohortId,
      filter: { status: "set-aside" } as const,
      sort: { column: "ageYears", descending: false } as const,
      offset: 0,
      limit: 500,
    };
    const before = imageRows(database, query).total;
    const [included] = bySql({ status: "included" }, { column: "id", descending: false });
    setImageStatus(database, included ?? 0, "set-aside", "A test.");
    expect(imageRows(database, query).total).toBe(before + 1);
    // What another process writes fires the same triggers.
    database.exec(`UPDATE image SET status = 'included', status_reason = NULL
      WHERE id = ${included ?? 0}`);
    expect(imageRows(database, query).total).toBe(before);
  });
});

describe("what the table needs", () => {
  const query = {
    cohortId: 0,
    filter: { status: "set-aside" } as const,
    sort: { column: "patient", descending: true } as const,
    offset: 0,
    limit: 500,
  };

  it("is read bit by bit beside other work, and only once for all who wait", async () => {
    const database = asAnotherProcess();
    const state = { turns: 0, ready: false };
    const others = (async () => {
      while (!state.ready) {
        await new Promise((resolve) => setImmediate(resolve));
        state.turns++;
      }
    })();
    const waiting = [prepareFilmIndex(database, cohortId), prepareFilmIndex(database, cohortId)];
    const soon = await imageRowsSoon(database, { ...query, cohortId });
    await Promise.all(waiting);
    state.ready = true;
    await others;
    expect(state.turns).toBeGreaterThan(5);
    expect(soon).toEqual(imageRows(database, { ...query, cohortId }));
    expect(soon.rows.map(({ id }) => id)).toEqual(bySql(query.filter, query.sort));
    database.close();
  });

  it("is not out of date where films change while it is read", async () => {
    const database = asAnotherProcess();
    const [film = 0] = bySql({ status: "included" }, { column: "id", descending: false });
    const soon = imageRowsSoon(database, { ...query, cohortId });
    await new Promise((resolve) => setImmediate(resolve));
    setImageStatus(database, film, "set-aside", "Meanwhile.");
    const rows = (await soon).rows.map(({ id }) => id);
    expect(rows).toContain(film);
    expect(rows).toEqual(bySql(query.filter, query.sort));
    setImageStatus(database, film, "included", null);
    database.close();
  });
});

/** The same store, opened by somebody who has read nothing of it yet. */
function asAnotherProcess(): Database {
  return openDatabase(database.name);
}

describe("a film's attributes", () => {
  it("say whether the film or a table gave them", () => {
    const id = addImage(database, cohortId, {
      patient: "s",
      sex: null,
      instance: "s",
      content: "s",
    });
    const film = imageRow(database, id);
    const labels = labelWriter(database);
    labels.fillSex(film.patientId, "M", "ages.csv");
    labels.fillAge(id, 71, "ages.csv");
    labels.setAttribute(film.patientId, "comorbidity_count", 2, "ills.csv");
    labels.setSubgroup(id, "ward", "ward 9", "wards.csv");
    expect(attributeSources(database, id)).toEqual({
      sexSource: "ages.csv",
      ageSource: film.ageYears === null ? "ages.csv" : null,
      comorbiditySource: "ills.csv",
      subgroups: [{ name: "ward", value: "ward 9", source: "wards.csv" }],
    });
    const [own] = imageRows(database, {
      cohortId,
      filter: { sex: "F" },
      sort: { column: "id", descending: false },
      offset: 0,
      limit: 1,
    }).rows;
    expect(attributeSources(database, own?.id ?? 0)).toMatchObject({ sexSource: null });
    labels.fillSex(own?.patientId ?? 0, "M", "ages.csv");
    expect(attributeSources(database, own?.id ?? 0)).toMatchObject({ sexSource: null });
  });
});

describe("the counts of a cohort", () => {
  it("hold each free subgroup's values, and follow a change of one", () => {
    const wards = () => cohortOverview(database, cohortId).bySubgroup;
    const before = wards();
    expect(before.map(({ name }) => name)).toEqual(["ward"]);
    for (const { value, images, patients } of before[0]?.values ?? []) {
      const films = bySql(
        { status: "included", subgroup: { name: "ward", value } },
        { column: "id", descending: false },
      );
      expect(images).toBe(films.length);
      expect(patients).toBe(new Set(films.map((id) => imageRow(database, id).patientId)).size);
    }
    const [film] = bySql({ status: "included" }, { column: "id", descending: false });
    labelWriter(database).setSubgroup(film ?? 0, "scanner", "A", "scanners.csv");
    expect(wards().map(({ name }) => name)).toEqual(["scanner", "ward"]);
  });

  it("are those that SQL counts", async () => {
    const labels = labelWriter(database);
    const patients = database.prepare("SELECT id FROM patient").pluck().all() as number[];
    patients.forEach((id, i) => {
      if (i % 4 !== 0) labels.setAttribute(id, "comorbidity_count", i % 3, "ills.csv");
    });
    const { summary, split, ...counts } = await cohortOverviewSoon(database, cohortId);
    const count = (value: string, where = "status = 'included'") =>
      database
        .prepare(
          `SELECT ${value} AS value, count(*) AS images,
             count(DISTINCT image.patient_id) AS patients
           FROM image JOIN patient ON patient.id = image.patient_id
             LEFT JOIN attribute ON attribute.patient_id = patient.id
               AND name = 'comorbidity_count'
             LEFT JOIN split_member ON split_member.patient_id = patient.id
             LEFT JOIN consensus ON consensus.image_id = image.id
           WHERE image.cohort_id = ? AND ${where} GROUP BY 1 ORDER BY 1`,
        )
        .all(cohortId) as { value: string; images: number; patients: number }[];
    const inOrder = (some: readonly { readonly value: string }[]) =>
      some.toSorted((a, b) => (a.value < b.value ? -1 : 1));
    expect(inOrder(counts.bySex)).toEqual(count("coalesce(patient.sex, 'unknown')"));
    expect(inOrder(counts.byViewPosition)).toEqual(
      count("coalesce(nullif(view_position, ''), 'unknown')"),
    );
    expect(inOrder(counts.byComorbidity)).toEqual(
      count("coalesce(CAST(CAST(attribute.value AS INTEGER) AS TEXT), 'unknown')"),
    );
    expect(inOrder(counts.byStatus)).toEqual(
      count(
        "CASE status WHEN 'included' THEN status ELSE coalesce(status_reason, 'set aside') END",
        "1",
      ),
    );
    for (const { title, from, to } of ageBins) {
      const [expected] = count(
        "''",
        `status = 'included' AND age_years >= ${from} AND age_years < ${to}`,
      );
      const shown = counts.byAge.find(({ value }) => value === title);
      expect([shown?.images, shown?.patients]).toEqual([expected?.images, expected?.patients]);
    }
    for (const { finding, grades, positive } of counts.labels) {
      const expected = count("grade", `status = 'included' AND finding = '${finding}'`);
      grades.forEach((films, grade) => {
        const row = expected.find(({ value }) => Number(value) === grade);
        expect(films).toBe(row?.images ?? 0);
      });
      for (const { part, positives } of split?.parts ?? []) {
        const [inPart] = count(
          "''",
          `status = 'included' AND finding = '${finding}' AND part = '${part}'
             AND grade >= ${summary.positiveAtGrade}`,
        );
        expect(positives[finding]).toBe(inPart?.images ?? 0);
      }
      expect(positive).toBeGreaterThan(0);
    }
    for (const { part, images, patients: members } of split?.parts ?? []) {
      const [expected] = count("''", `status = 'included' AND part = '${part}'`);
      expect([images, members]).toEqual([expected?.images, expected?.patients]);
    }
  });

  it("are kept while nothing changes and counted anew when something does", () => {
    const first = cohortOverview(database, cohortId);
    const { images } = first.summary;
    database.exec(`UPDATE film_count SET value = replace(value, '"images":${images}', '"images":1')
      WHERE kind = 'summary'`);
    // Only a kept count can show what was just falsified.
    expect(cohortSummary(database, cohortId).images).toBe(1);
    addImage(database, cohortId, { patient: "new", instance: "new", content: "new" });
    const second = cohortOverview(database, cohortId);
    expect(second.summary.images).toBe(images + 1);
    expect(second.bySex.find(({ value }) => value === "unknown")?.images).toBe(
      (first.bySex.find(({ value }) => value === "unknown")?.images ?? 0) + 1,
    );
  });
});
