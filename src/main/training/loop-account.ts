import type { CompiledNetwork } from "../engine/engine.ts";

/** What a run's loop waits for, one after the other. */
export type Waiting = "engine" | "data" | "journal" | "noise" | "checkpoints";

/** Where the time of a run's steps goes, in milliseconds. */
export interface LoopAccount {
  /** Adds the time that some work takes. */
  readonly during: <T>(waiting: Waiting, work: () => Promise<T>) => Promise<T>;
  readonly add: (waiting: Waiting, milliseconds: number) => void;
  /** Milliseconds since the account was opened, and what of them each waiting took. */
  readonly read: () => { readonly total: number } & Readonly<Record<Waiting, number>>;
}

/** @param now milliseconds of a clock that only goes forward */
export function openLoopAccount(now: () => number = () => performance.now()): LoopAccount {
  const opened = now();
  const spent: Record<Waiting, number> = {
    engine: 0,
    data: 0,
    journal: 0,
    noise: 0,
    checkpoints: 0,
  };
  return {
    during: async (waiting, work) => {
      const start = now();
      try {
        return await work();
      } finally {
        spent[waiting] += now() - start;
      }
    },
    add: (waiting, milliseconds) => {
      spent[waiting] += milliseconds;
    },
    read: () => ({ total: now() - opened, ...spent }),
  };
}

/** The network, with its gradients on the account. */
export function accounted(network: CompiledNetwork, account: LoopAccount): CompiledNetwork {
  return {
    network: network.network,
    parameterCount: network.parameterCount,
    infer: (...input) => network.infer(...input),
    clippedSum: (...input) => account.during("engine", () => network.clippedSum(...input)),
    ordinaryGradient: (...input) =>
      account.during("engine", () => network.ordinaryGradient(...input)),
    dispose: () => network.dispose(),
  };
}

/**
 * One line for the run's log, in percent of the loop's time, and beside it how long the threads that
 * make images worked meanwhile.
 */
export function loopAccountLine(account: LoopAccount, imageMilliseconds: number): string {
  const { total, engine, data, journal, noise, checkpoints } = account.read();
  const percent = (milliseconds: number): string =>
    `${((100 * milliseconds) / Math.max(total, 1e-9)).toFixed(1)} %`;
  const rest = total - engine - data - journal - noise - checkpoints;
  return (
    `the steps took ${(total / 1000).toFixed(1)} s: engine ${percent(engine)}, ` +
    `waiting for data ${percent(data)}, for the journal ${percent(journal)}, ` +
    `for noise ${percent(noise)}, checkpoints ${percent(checkpoints)}, the rest ${percent(rest)}; beside them threads made images ` +
    `for ${(imageMilliseconds / 1000).toFixed(1)} s`
  );
}
