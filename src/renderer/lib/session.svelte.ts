import type { InputOf } from "../../shared/contract.ts";
import type { CohortSummary } from "../../shared/domain.ts";
import { call, failureOf, type Failure } from "./bridge.ts";

export const screens = [
  { name: "cohort", title: "Cohort", key: "1" },
  { name: "training", title: "Train", key: "2" },
  { name: "compare", title: "Compare", key: "3" },
  { name: "privacy", title: "Privacy", key: "4" },
  { name: "settings", title: "Settings", key: "5" },
] as const;
export type ScreenName = (typeof screens)[number]["name"];
export type CohortTab =
  "overview" | "intake" | "labels" | "films" | "split" | "review" | "quarantine";
export type DialogName = "new-cohort" | "rename-cohort" | "keys";

/** A folder or file on its way into a cohort. */
export interface PendingPath {
  readonly path: string;
  readonly isFolder: boolean;
}

/** What the person looks at. Everything else is fetched from the core by the screen that shows it. */
interface Session {
  screen: ScreenName;
  tab: CohortTab;
  cohortId: number | null;
  dialog: DialogName | null;
  /** What was dropped or chosen before there was a cohort to put it in. */
  pending: readonly PendingPath[];
  /** A labels file chosen or dropped, on its way through the mapping. */
  labelsFile: string | null;
  /** The film open in the viewer, as its place in the table's order; null where none is open. */
  filmIndex: number | null;
  /** The pair of runs shown by Compare; null chooses the newest. */
  pairId: string | null;
  /** Why there is no core to talk to; null while there is one. */
  coreFailure: string | null;
  /** Rises whenever something of the chosen cohort has changed. */
  revision: number;
}

export const session = $state<Session>({
  screen: "cohort",
  tab: "overview",
  cohortId: null,
  dialog: null,
  pending: [],
  labelsFile: null,
  filmIndex: null,
  pairId: null,
  coreFailure: null,
  revision: 0,
});

let cohorts = $state.raw<readonly CohortSummary[] | null>(null);
let cohortsFailure = $state.raw<Failure | null>(null);

const rememberedCohort = "silhouette.cohort";

/** All cohorts, or null until the core has answered for the first time. */
export function cohortList(): readonly CohortSummary[] | null {
  return cohorts;
}

export function cohortListFailure(): Failure | null {
  return cohortsFailure;
}

export function chosenCohort(): CohortSummary | null {
  return cohorts?.find((cohort) => cohort.id === session.cohortId) ?? null;
}

export async function loadCohorts(): Promise<void> {
  try {
    cohorts = await call("cohort:list", {});
    cohortsFailure = null;
  } catch (thrown) {
    cohortsFailure = failureOf(thrown);
    return;
  }
  if (chosenCohort() === null) {
    const remembered = Number(localStorage.getItem(rememberedCohort));
    const found = cohorts.find((cohort) => cohort.id === remembered) ?? cohorts[0];
    if (found === undefined) session.cohortId = null;
    else chooseCohort(found.id);
  }
}

export function chooseCohort(cohortId: number): void {
  if (session.cohortId === cohortId) return;
  session.cohortId = cohortId;
  session.filmIndex = null;
  session.labelsFile = null;
  session.pairId = null;
  session.revision += 1;
  localStorage.setItem(rememberedCohort, String(cohortId));
  const cohort = chosenCohort();
  if (cohort !== null) session.tab = cohort.images === 0 ? "intake" : "overview";
}

export function show(screen: ScreenName, tab?: CohortTab): void {
  session.screen = screen;
  session.filmIndex = null;
  if (tab !== undefined) session.tab = tab;
}

/** Creates a cohort and chooses it. Rejects as the call does. */
export async function createCohort(choices: InputOf<"cohort:create">): Promise<CohortSummary> {
  const created = await call("cohort:create", choices);
  await loadCohorts();
  chooseCohort(created.id);
  show("cohort", "intake");
  return created;
}
