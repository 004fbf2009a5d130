import type { FilmAnswer, ReadFilm, Rejection } from "../dicom/read-film.ts";
import { foldersFit, partsOf, sharedFolder, stemOf } from "./folders.ts";
import type { LabelReading } from "./label-reading.ts";
import type { LabelRow } from "./label-row.ts";

/** Names the patients of films that do not name them themselves. */
export interface FilmTable {
  /** Where a film's identity is said to come from. */
  readonly source: string;
  find(path: string): { readonly row: LabelRow; readonly patient: string } | Rejection;
}

interface Entry {
  readonly folders: readonly string[];
  readonly row: LabelRow;
}

/**
 * Looks films up in a table by file name without its ending. Where the table gives folders they
 * must be the film's own, from the innermost on. Only the outermost may differ, where all rows
 * share it: data sets name themselves there ("CheXpert-v1.0-small/train/...").
 */
export function filmTable(reading: LabelReading): FilmTable {
  const shared = sharedFolder(reading.rows);
  const entries = new Map<string, Entry[]>();
  for (const row of reading.rows) {
    for (const name of new Set([row.file, row.image])) {
      if (name === null) continue;
      const folders = partsOf(name);
      const stem = stemOf(folders.pop() ?? "");
      if (shared !== null && folders[0] === shared) folders.shift();
      const others = entries.get(stem) ?? [];
      others.push({ folders, row });
      entries.set(stem, others);
    }
  }
  return {
    source: reading.source,
    find(path) {
      const folders = partsOf(path);
      const stem = stemOf(folders.pop() ?? "");
      const fitting = (entries.get(stem) ?? []).filter((entry) =>
        foldersFit(entry.folders, folders),
      );
      const deepest = Math.max(...fitting.map((entry) => entry.folders.length));
      const rows = fitting
        .filter((entry) => entry.folders.length === deepest)
        .map(({ row }) => row);
      const [row] = rows;
      if (row === undefined) return noTable("The table that was given does not name this file.");
      const patients = new Set(rows.map((each) => patientOf(each, reading)));
      const [patient] = patients;
      if (patient == null) return noTable("The table names this file, but no patient for it.");
      if (patients.size > 1) {
        return noTable("The table names this file for more than one patient.");
      }
      return { row, patient };
    },
  };
}

function patientOf(row: LabelRow, { imageStandsForPatient }: LabelReading): string | null {
  return row.patient ?? (imageStandsForPatient ? row.image : null);
}

function noTable(found: string): Rejection {
  return { code: "no-table", found };
}

/** Gives a film that names no patient the identity that the table has for it. */
export function identify(answer: FilmAnswer, path: string, table: FilmTable | null): FilmAnswer {
  if (!("film" in answer) || answer.film.identity.patientId !== null) return answer;
  if (table === null) return { rejection: pictureWithoutTable };
  const found = table.find(path);
  return "code" in found ? { rejection: found } : { film: named(answer.film, found, table.source) };
}

/** Why a picture cannot be imported by itself. */
export const pictureWithoutTable: Rejection = {
  code: "no-table",
  found: "A PNG or JPEG says nothing of its patient, and no table was given that names it.",
};

function named(
  film: ReadFilm,
  { row, patient }: { readonly row: LabelRow; readonly patient: string },
  source: string,
): ReadFilm {
  const { identity, film: said } = film;
  return {
    ...film,
    sources: {
      sex: said.sex === null && row.sex !== null ? source : null,
      age: said.ageYears === null && row.ageYears !== null ? source : null,
    },
    identity: {
      ...identity,
      patientId: patient,
      sopInstanceUid: identity.sopInstanceUid ?? row.image ?? row.file,
      studyInstanceUid:
        identity.studyInstanceUid ?? (row.study === null ? null : `${patient} ${row.study}`),
    },
    film: {
      ...said,
      viewPosition: said.viewPosition ?? row.viewPosition,
      bodyPart: said.bodyPart ?? row.bodyPart,
      sex: said.sex ?? row.sex,
      ageYears: said.ageYears ?? row.ageYears,
    },
  };
}
