import { findingKeys } from "../../shared/findings.ts";
import type { Database } from "./database.ts";
import type { FilmState } from "./film-changes.ts";
import { parts, sexes, statuses, type FilmColumns, type RankedColumn } from "./film-columns.ts";
import { keepAside } from "./film-revision.ts";
import type { NumberColumn } from "./ranked-texts.ts";

/** What the numbers mean; columns that were written with other meanings are not read. */
const meaning = JSON.stringify([2, findingKeys, sexes, parts, statuses]);
const kinds = { Uint8Array, Int32Array, Float64Array } as const;
const alignment = 8;

/** What stands in front of the columns. */
interface Header {
  readonly meaning: string;
  /** The cohort's labels. */
  readonly findings: readonly string[];
  readonly texts: FilmColumns["texts"];
  readonly columns: readonly {
    readonly group: "film" | "rank" | "patient" | "grade" | "subgroup";
    readonly name: string;
    readonly kind: keyof typeof kinds;
    readonly length: number;
    /** Of a free subgroup. */
    readonly texts?: readonly string[];
  }[];
}

/**
 * Keeps the columns in the store as they were at a committed state, so that the next process reads
 * one value instead of every film, patient and label, and then what has changed since.
 */
export function keepFilmColumns(
  database: Database,
  cohortId: number,
  state: FilmState,
  columns: FilmColumns,
): void {
  keepAside(database, () => {
    database
      .prepare(
        `INSERT INTO film_columns (cohort_id, revision, entry, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (cohort_id) DO UPDATE SET revision = excluded.revision,
           entry = excluded.entry, body = excluded.body WHERE excluded.revision >= revision`,
      )
      .run(cohortId, state.revision, state.entry, packed(columns));
  });
}

/** The columns that were kept last, and the state that they show; null where there are none. */
export function keptFilmColumns(
  database: Database,
  cohortId: number,
): { readonly state: FilmState; readonly columns: FilmColumns } | null {
  const row = database
    .prepare("SELECT revision, entry, body FROM film_columns WHERE cohort_id = ?")
    .get(cohortId) as (FilmState & { readonly body: Buffer }) | undefined;
  if (row === undefined) return null;
  const columns = unpacked(row.body);
  return columns === null ? null : { state: { revision: row.revision, entry: row.entry }, columns };
}

function packed(columns: FilmColumns): Buffer {
  const arrays: NumberColumn[] = [];
  const described: Header["columns"][number][] = [];
  const add = (
    group: Header["columns"][number]["group"],
    name: string,
    array: NumberColumn,
    texts?: readonly string[],
  ): void => {
    arrays.push(array);
    const kind = array.constructor.name as keyof typeof kinds;
    described.push({ group, name, kind, length: array.length, ...(texts && { texts }) });
  };
  add("film", "ids", columns.ids);
  for (const [name, array] of Object.entries(columns.ranks)) add("rank", name, array);
  add("patient", "comorbidities", columns.comorbidities);
  for (const [finding, grades] of Object.entries(columns.grades)) {
    // Of findings that nobody labels nothing is kept.
    if (grades.some((grade) => grade > 0)) add("grade", finding, grades);
  }
  for (const [name, { texts, ranks }] of columns.subgroups) add("subgroup", name, ranks, texts);
  const findings = Object.keys(columns.grades);
  const header: Header = { meaning, findings, texts: columns.texts, columns: described };
  const front = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(alignment);
  size.writeUInt32LE(front.length);
  const padding = (bytes: number) => Buffer.alloc((alignment - (bytes % alignment)) % alignment);
  return Buffer.concat([
    size,
    front,
    padding(front.length),
    ...arrays.flatMap((array) => [
      Buffer.from(array.buffer, array.byteOffset, array.byteLength),
      padding(array.byteLength),
    ]),
  ]);
}

function unpacked(body: Buffer): FilmColumns | null {
  const end = alignment + body.readUInt32LE(0);
  const header = JSON.parse(body.toString("utf8", alignment, end)) as Header;
  if (header.meaning !== meaning) return null;
  let offset = end;
  const arrays = header.columns.map(({ group, name, kind, length, texts = [] }) => {
    offset = Math.ceil(offset / alignment) * alignment;
    const bytes = length * kinds[kind].BYTES_PER_ELEMENT;
    // Columns change in place, so each gets memory of its own.
    const memory = new Uint8Array(body.subarray(offset, offset + bytes)).buffer;
    offset += bytes;
    return { group, name, texts, ranks: new kinds[kind](memory) };
  });
  const named = (wanted: Header["columns"][number]["group"]): Record<string, NumberColumn> =>
    Object.fromEntries(
      arrays.filter(({ group }) => group === wanted).map(({ name, ranks }) => [name, ranks]),
    );
  const { ids } = named("film");
  const { comorbidities } = named("patient");
  if (!(ids instanceof Int32Array) || !(comorbidities instanceof Float64Array)) return null;
  const none = header.findings.map((finding) => [finding, new Uint8Array(ids.length)] as const);
  return {
    ids,
    ranks: named("rank") as Record<RankedColumn, NumberColumn>,
    texts: header.texts,
    comorbidities,
    grades: { ...Object.fromEntries(none), ...(named("grade") as FilmColumns["grades"]) },
    subgroups: new Map(
      arrays
        .filter(({ group }) => group === "subgroup")
        .map(({ name, texts, ranks }) => [name, { texts, ranks }]),
    ),
  };
}
