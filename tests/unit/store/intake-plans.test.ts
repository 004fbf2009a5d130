import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { importPaths } from "../../../src/main/intake/intake.ts";
import { writeFilm } from "../../support/films.ts";
import { temporaryStore, type TemporaryStore } from "../../support/store.ts";

let store: TemporaryStore;
beforeEach(() => {
  store = temporaryStore();
});
afterEach(() => {
  vi.restoreAllMocks();
  store.remove();
});

it("no question of an import meets all films, patients or files of a cohort", async () => {
  const { database, dataFolder, cohortId, folder } = store;
  const films = join(folder, "films");
  mkdirSync(films);
  // Two views of one patient within minutes, so that the search for repeats asks too.
  for (const number of [1, 2]) {
    writeFileSync(
      join(films, `${number}.dcm`),
      writeFilm(number, 1, {
        "00080032:TM": `10150${number}`,
        "00185101": "PA",
        "0020000D": "1.2.3.4",
      }),
    );
  }
  const prepare = vi.spyOn(database, "prepare");
  await importPaths({ database, dataFolder, cohortId, paths: [films], workers: 1 });
  const asked = new Set(prepare.mock.calls.map(([sql]) => sql.trim()));
  vi.restoreAllMocks();
  const perFilm = [...asked].filter(
    (sql) => sql.startsWith("SELECT") && !sql.includes("FROM cohort"),
  );
  expect(perFilm.length).toBeGreaterThan(3);
  for (const sql of perFilm) {
    // Once in an import, and ended by its first row.
    if (sql.includes("LIMIT 1") && !sql.includes("content_hash =")) continue;
    const parameters = Array.from({ length: sql.split("?").length - 1 }, () => 1);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as {
      detail: string;
    }[];
    for (const { detail } of plan) {
      expect(detail, sql).not.toMatch(/^SCAN (image|patient|study|series|source_file)\b/);
      expect(detail, sql).not.toMatch(/^SEARCH .*\(cohort_id=\?\)$/);
    }
  }
});
