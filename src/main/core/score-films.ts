import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { FilmScores, ScoredFilm } from "../../shared/contract/release.ts";
import { keysOf, type FindingKey } from "../../shared/findings.ts";
import { chosenIn, schemeOf } from "../../shared/plan.ts";
import { remedies } from "../dicom/errors.ts";
import { preparationOf } from "../dicom/pipeline.ts";
import type { FilmAnswer, ReadFilm } from "../dicom/read-film.ts";
import { DecodePool } from "../intake/decode-pool.ts";
import { placeFilm } from "../intake/placement.ts";
import { walk } from "../intake/walk.ts";
import type { RunRecord } from "../store/runs.ts";
import { openScorer, type Scorer } from "../training/scorer-host.ts";
import { readReleasedWeights } from "../training/released-weights.ts";
import type { JobControl } from "./jobs.ts";

/** Films that are decoded ahead and scored at once. */
const filmsAtOnce = 32;
const fileTimeoutMilliseconds = 120_000;
const mostWorkers = 8;

/** What became of one file. */
export type FilmOutcome =
  | { readonly kind: "scored"; readonly film: ScoredFilm }
  | { readonly kind: "refused"; readonly path: string; readonly reason: string };

export interface ScoreFilmsOptions {
  readonly dataFolder: string;
  readonly run: RunRecord;
  readonly framePixels: number;
  readonly paths: readonly string[];
  readonly control: JobControl;
  /** Called for each file, in the order of the paths. */
  readonly onOutcome: (outcome: FilmOutcome) => void;
}

/**
 * Scores films with a run's weights: decoded by the same workers and pixel pipeline as at intake,
 * at the cohort's frame size, reduced as in training. Nothing is stored.
 *
 * @returns the number of files looked at
 * @throws UserError where the run has no usable weights, a path does not exist or the pipeline
 *   differs.
 */
export async function scoreFilms(options: ScoreFilmsOptions): Promise<number> {
  const { run, control, framePixels, onOutcome } = options;
  const preparation = preparationOf(run.plan.pixelPipeline);
  const { weights } = readReleasedWeights(options.dataFolder, run);
  const { recipe } = run.plan;
  const keys = keysOf(schemeOf(run.plan));
  const scorer = openScorer({
    chosen: chosenIn(recipe),
    labels: keys.length,
    weights,
    framePixels,
    resolutionPixels: recipe.resolutionPixels,
    engine: recipe.engine,
  });
  const pool = new DecodePool({
    workers: Math.min(mostWorkers, availableParallelism()),
    framePixels,
    preparation,
    timeoutMilliseconds: fileTimeoutMilliseconds,
  });
  let found = 0;
  let pending: Promise<Decoded>[] = [];
  const flush = async (): Promise<void> => {
    const decoded = await Promise.all(pending);
    pending = [];
    for (const outcome of await scoreDecoded(scorer, decoded, framePixels, keys))
      onOutcome(outcome);
    control.report({ phase: "Scoring", done: found, total: null });
  };
  try {
    const roots = [...new Set(options.paths.map((path) => resolve(path)))];
    for await (const entry of walk(roots, { signal: control.signal })) {
      await control.whileRunning();
      found += 1;
      await pool.room();
      const reading: Promise<FilmAnswer> =
        entry.kind === "file"
          ? pool.run(entry.path)
          : Promise.resolve({ rejection: { code: "unreadable", found: entry.found } });
      const one = reading.then((answer) => ({ path: entry.path, answer }));
      // Awaited with its batch; a rejection meanwhile is not unheard.
      one.catch(() => undefined);
      pending.push(one);
      if (pending.length >= filmsAtOnce) await flush();
    }
    await flush();
    control.signal.throwIfAborted();
    return found;
  } finally {
    scorer.close();
    await pool.close();
  }
}

interface Decoded {
  readonly path: string;
  readonly answer: FilmAnswer;
}

async function scoreDecoded(
  scorer: Scorer,
  decoded: readonly Decoded[],
  framePixels: number,
  keys: readonly FindingKey[],
): Promise<FilmOutcome[]> {
  const frameBytes = framePixels ** 2;
  const usable = decoded.flatMap(({ answer }) =>
    "film" in answer && placeFilm(answer.film).status === "included" ? [answer.film] : [],
  );
  const frames = new Uint8Array(usable.length * frameBytes);
  usable.forEach((film, index) => {
    frames.set(film.frame, index * frameBytes);
  });
  const scores =
    usable.length === 0 ? new Float32Array(0) : await scorer.score(frames, usable.length);
  const places = new Map<ReadFilm, number>(usable.map((film, index) => [film, index]));
  return decoded.map(({ path, answer }): FilmOutcome => {
    if ("rejection" in answer) {
      const { code, found } = answer.rejection;
      return { kind: "refused", path, reason: `${found} ${remedies[code]}` };
    }
    const { reason, viewPosition } = placeFilm(answer.film);
    const place = places.get(answer.film);
    if (place === undefined)
      return { kind: "refused", path, reason: reason ?? "Not a chest film." };
    const own = scores.subarray(place * keys.length, (place + 1) * keys.length);
    const byFinding = Object.fromEntries(keys.map((key, index) => [key, own[index] ?? NaN]));
    return {
      kind: "scored",
      film: {
        path,
        viewPosition,
        note: reason,
        scores: byFinding,
      },
    };
  });
}

/** The table of a scoring: every file in one row, films that were not scored with their reason. */
export function scoresTable(run: RunRecord, outcomes: readonly FilmOutcome[]): string {
  const keys = keysOf(schemeOf(run.plan));
  const columns = ["file", "view_position", ...keys, "note"];
  const rows = outcomes.map((outcome) => {
    if (outcome.kind === "refused") {
      return [outcome.path, "", ...keys.map(() => ""), `Not scored: ${outcome.reason}`];
    }
    const { path, viewPosition, scores, note } = outcome.film;
    return [
      path,
      viewPosition ?? "",
      // Nine significant digits give a float32 back exactly.
      ...keys.map((key) => String(Number((scores[key] ?? NaN).toPrecision(9)))),
      note ?? "",
    ];
  });
  return [columns, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

/** RFC 4180. */
function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** The result for window and command line, with at most `limit` films in it. */
export function filmScores(
  run: RunRecord,
  outcomes: readonly FilmOutcome[],
  more: { readonly limit: number | null; readonly file: string | null; readonly seconds: number },
): FilmScores {
  const films = outcomes.flatMap((outcome) => (outcome.kind === "scored" ? [outcome.film] : []));
  return {
    run: run.id,
    pixelPipeline: run.plan.pixelPipeline,
    positiveAtGrade: run.plan.positiveAtGrade,
    labels: keysOf(schemeOf(run.plan)),
    found: outcomes.length,
    scored: films.length,
    films: more.limit === null ? films : films.slice(0, more.limit),
    unreadable: outcomes.flatMap((outcome) =>
      outcome.kind === "refused" ? [{ path: outcome.path, reason: outcome.reason }] : [],
    ),
    file: more.file,
    seconds: more.seconds,
  };
}
