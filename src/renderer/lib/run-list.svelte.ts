import type { RunSummary } from "../../shared/domain.ts";
import { runProgress } from "./activity.svelte.ts";
import { call, type Failure } from "./bridge.ts";
import { pairRuns, type RunPair } from "./pairs.ts";
import { createResource } from "./resource.svelte.ts";
import { session } from "./session.svelte.ts";
import { track } from "./track.ts";

export interface RunList {
  /** Newest first; null until they are known. */
  readonly pairs: readonly RunPair[] | null;
  readonly failure: Failure | null;
  reload(): Promise<void>;
}

/** The runs of the chosen cohort, kept up to date. Call it while a component is being set up. */
export function createRunList(): RunList {
  const list = createResource<readonly RunSummary[]>(async () =>
    session.cohortId === null ? [] : call("run:list", { cohortId: session.cohortId }),
  );
  let shown: number | null = null;
  $effect(() => {
    const { cohortId, revision } = session;
    track(revision);
    if (cohortId !== shown) list.clear();
    shown = cohortId;
    void list.reload();
  });
  const pairs = $derived(
    list.value === null ? null : pairRuns(list.value.map((run) => runProgress(run.id)?.run ?? run)),
  );
  return {
    get pairs() {
      return pairs;
    },
    get failure() {
      return list.failure;
    },
    reload: () => list.reload(),
  };
}
