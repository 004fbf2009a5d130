/** The types that core, window and command line share, one file for each subject. */
export type * from "./domain/cohort.ts";
export type * from "./domain/films.ts";
export type * from "./domain/jobs.ts";
export type * from "./domain/ledger.ts";
export type * from "./domain/runs.ts";
export type * from "./domain/time.ts";
