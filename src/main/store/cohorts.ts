import type { CohortSummary } from "../../shared/domain.ts";
import type { Scheme } from "../../shared/findings.ts";
import { UserError } from "../../shared/errors.ts";
import { now, transaction, type Database } from "./database.ts";
import { includedRank, type FilmColumns } from "./film-columns.ts";
import { columnsAtHand } from "./film-index.ts";
import { countedOnce } from "./film-revision.ts";
import { schemeToStore, storedScheme, storedSchemeColumn } from "./schemes.ts";

export interface NewCohort {
  readonly name: string;
  readonly framePixels: number;
  readonly pixelPipeline: string;
  readonly positiveAtGrade: number;
  /** The study's labels where none is named. */
  readonly scheme?: Scheme;
}

/**
 * Creates an empty cohort.
 *
 * @throws UserError "conflict" where the name is taken.
 */
export function createCohort(database: Database, cohort: NewCohort): CohortSummary {
  const id = transaction(database, () => {
    refuseTakenName(database, cohort.name, null);
    return database
      .prepare(
        `INSERT INTO cohort (name, created_at, frame_pixels, pixel_pipeline, positive_at_grade,
           scheme, own_findings, issuer_in_pseudonym)
         VALUES (?, ?, ?, ?, ?, ?, ?, 1)`,
      )
      .run(
        cohort.name,
        now(),
        cohort.framePixels,
        cohort.pixelPipeline,
        cohort.positiveAtGrade,
        ...schemeToStore(cohort.scheme ?? "sided"),
      ).lastInsertRowid;
  });
  return cohortSummary(database, Number(id));
}

/** @throws UserError "conflict" where the name is taken, "not-found" where there is no such cohort. */
export function renameCohort(database: Database, cohortId: number, name: string): CohortSummary {
  transaction(database, () => {
    refuseTakenName(database, name, cohortId);
    database.prepare("UPDATE cohort SET name = ? WHERE id = ?").run(name, cohortId);
  });
  return cohortSummary(database, cohortId);
}

function refuseTakenName(database: Database, name: string, except: number | null): void {
  const taken = database.prepare("SELECT id FROM cohort WHERE name = ?").get(name) as
    { id: number } | undefined;
  if (taken !== undefined && taken.id !== except) {
    throw new UserError(
      "conflict",
      `A cohort named "${name}" exists already. Choose another name, or open that cohort.`,
    );
  }
}

/** The cohort of that name, or null. */
export function findCohort(database: Database, name: string): CohortSummary | null {
  const row = database.prepare("SELECT id FROM cohort WHERE name = ?").get(name) as
    { id: number } | undefined;
  return row === undefined ? null : cohortSummary(database, row.id);
}

export function listCohorts(database: Database): CohortSummary[] {
  const ids = database.prepare("SELECT id FROM cohort ORDER BY name").pluck().all() as number[];
  return ids.map((id) => cohortSummary(database, id));
}

/** @throws UserError "not-found". */
export function cohortSummary(database: Database, cohortId: number): CohortSummary {
  const row = database
    .prepare(
      `SELECT id, name, created_at AS createdAt, frame_pixels AS framePixels,
         pixel_pipeline AS pixelPipeline, positive_at_grade AS positiveAtGrade,
         ${storedSchemeColumn} AS scheme,
         (SELECT count(*) FROM source_file WHERE cohort_id = cohort.id
           AND outcome = 'quarantined') AS quarantined,
         (SELECT count(*) FROM run WHERE cohort_id = cohort.id) AS runs
       FROM cohort WHERE id = ?`,
    )
    .get(cohortId) as
    (Omit<CohortSummary, keyof FilmCounts | "scheme"> & { scheme: string }) | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no cohort with the number ${cohortId}.`);
  }
  const counts = countedOnce(database, cohortId, "summary", () => {
    const columns = columnsAtHand(database, cohortId);
    return columns === null ? filmCounts(database, cohortId) : countsOf(columns);
  });
  return { ...row, scheme: storedScheme(row.scheme), ...counts };
}

type FilmCounts = Pick<CohortSummary, "patients" | "images" | "included" | "setAside" | "labelled">;

function filmCounts(database: Database, cohortId: number): FilmCounts {
  return database
    .prepare(
      `SELECT (SELECT count(*) FROM patient WHERE cohort_id = :cohort
           AND EXISTS (SELECT 1 FROM image WHERE patient_id = patient.id)) AS patients,
         included + setAside AS images, included, setAside,
         (SELECT count(*) FROM image WHERE cohort_id = :cohort
           AND EXISTS (SELECT 1 FROM consensus WHERE image_id = image.id)) AS labelled
       FROM (SELECT count(*) FILTER (WHERE status = 'included') AS included,
           count(*) FILTER (WHERE status = 'set-aside') AS setAside
         FROM image INDEXED BY image_by_status WHERE cohort_id = :cohort)`,
    )
    .get({ cohort: cohortId }) as FilmCounts;
}

/** The same, from films in memory. */
function countsOf({ ids, ranks, texts, grades }: FilmColumns): FilmCounts {
  const labels = Object.values(grades);
  const seen = new Uint8Array(texts.patient.length + 1);
  let [patients, included, labelled] = [0, 0, 0];
  for (let place = 0; place < ids.length; place++) {
    const patient = ranks.patient[place] ?? 0;
    if (seen[patient] === 0) patients++;
    seen[patient] = 1;
    if (ranks.status[place] === includedRank) included++;
    if (labels.some((grade) => grade[place] !== 0)) labelled++;
  }
  const images = ids.length;
  return { patients, images, included, setAside: images - included, labelled };
}
