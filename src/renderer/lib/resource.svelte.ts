import { failureOf, type Failure } from "./bridge.ts";

/** Something fetched from the core: what came last, whether more is on its way, why it failed. */
export interface Resource<T> {
  readonly value: T | null;
  readonly failure: Failure | null;
  readonly loading: boolean;
  /** Fetches again; the old value stays until the new one is here. */
  reload(): Promise<void>;
  /** Forgets the value, as when another cohort is chosen. */
  clear(): void;
}

/** Only the answer to the newest `reload` counts; answers that it has overtaken are dropped. */
export function createResource<T>(load: () => Promise<T>): Resource<T> {
  let value = $state.raw<T | null>(null);
  let failure = $state.raw<Failure | null>(null);
  let loading = $state(false);
  let newest = 0;

  return {
    get value() {
      return value;
    },
    get failure() {
      return failure;
    },
    get loading() {
      return loading;
    },
    async reload() {
      newest += 1;
      const mine = newest;
      loading = true;
      try {
        const answer = await load();
        if (mine !== newest) return;
        value = answer;
        failure = null;
      } catch (thrown) {
        if (mine === newest) failure = failureOf(thrown);
      }
      if (mine === newest) loading = false;
    },
    clear() {
      newest += 1;
      value = null;
      failure = null;
      loading = false;
    },
  };
}
