import type { Database } from "../store/database.ts";
import type { FilmTable } from "./film-table.ts";

/** Rate, time left and counts of an import, about five times a second. */
export interface ImportProgress {
  readonly phase: "looking for films" | "importing" | "paused" | "finishing";
  /** Files finished with, of `total`; null until all folders have been counted. */
  readonly done: number;
  readonly total: number | null;
  readonly imported: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
}

/** Holds an import up between films. */
export interface PauseSwitch {
  readonly paused: boolean;
  /** Resolves as soon as the import may go on; at once while it is not paused. */
  resumed(): Promise<void>;
}

export interface ImportOptions {
  readonly database: Database;
  readonly dataFolder: string;
  readonly cohortId: number;
  /** Files and folders, absolute or relative to the working folder. */
  readonly paths: readonly string[];
  /** Decode workers; default: the processors at hand, at most 8. */
  readonly workers?: number;
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Cancels: what is done is committed, and the result says so. */
  readonly signal?: AbortSignal;
  readonly pause?: PauseSwitch;
  /** Try files again that were quarantined before, even if they have not changed. */
  readonly retryQuarantined?: boolean;
  /** Names the patients of films that do not name them; pictures are quarantined without. */
  readonly table?: FilmTable | null;
  /** A film on which a worker works longer is quarantined; default two minutes. */
  readonly fileTimeoutMilliseconds?: number;
}

/** A switch to pause and resume an import with. */
export class Pause implements PauseSwitch {
  #resolvers: (() => void)[] = [];
  #paused = false;

  get paused(): boolean {
    return this.#paused;
  }

  set(paused: boolean): void {
    this.#paused = paused;
    if (paused) return;
    const waiting = this.#resolvers;
    this.#resolvers = [];
    for (const resolve of waiting) resolve();
  }

  resumed(): Promise<void> {
    if (!this.#paused) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolvers.push(resolve);
    });
  }
}
