import type { TrainerPort } from "./trainer-protocol.ts";

/** Thrown between two micro-batches when somebody wants the run to end. */
export class Interrupted extends Error {}

/** Whether somebody wants the run to end, asked between micro-batches. */
export interface Interruption {
  /** @throws Interrupted where somebody does. */
  readonly check: () => void;
  /** Given, with Interrupted as its reason, once somebody does; for what is not computed in pieces. */
  readonly signal: AbortSignal;
  /** What somebody wants; null while nobody does. */
  readonly wanted: () => "stopped" | "paused" | null;
  /** From here on only a pause interrupts. */
  readonly ignoreStop: () => void;
  /** Does what must not be broken off in the middle. */
  readonly holdOff: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Listens for the core's wish; a pause that comes after a stop changes nothing. */
export function createInterruption(port: Pick<TrainerPort, "onMessage">): Interruption {
  let wanted: "stopped" | "paused" | null = null;
  let stopCounts = true;
  let held = false;
  const controller = new AbortController();
  port.onMessage((message) => {
    if (message.kind !== "stop") return;
    wanted ??= message.pause ? "paused" : "stopped";
    controller.abort(new Interrupted());
  });
  return {
    signal: controller.signal,
    check: () => {
      if (held) return;
      if (wanted === "paused" || (wanted === "stopped" && stopCounts)) throw new Interrupted();
    },
    wanted: () => wanted,
    ignoreStop: () => {
      stopCounts = false;
    },
    holdOff: async (work) => {
      held = true;
      try {
        return await work();
      } finally {
        held = false;
      }
    },
  };
}
