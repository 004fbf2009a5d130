import { parentPort, workerData } from "node:worker_threads";
import { UserError } from "../../src/shared/errors.ts";
import { mutate } from "./mutate.ts";
import { faulty, targets } from "./targets.ts";

/** What a fuzzing thread is asked to do, and what it says while it does. */
export interface FuzzTask {
  readonly target: string;
  readonly from: number;
  readonly to: number;
}
export type FuzzMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly next: number; readonly refused: number }
  | { readonly kind: "crash"; readonly number: number; readonly error: string }
  | { readonly kind: "done" };

const port = parentPort;
if (port === null) throw new Error("This runs in a worker thread only.");
const { current } = workerData as { readonly current: Int32Array };
const known = [...(await targets()), ...faulty];

function say(message: FuzzMessage): void {
  port?.postMessage(message);
}

port.on("message", ({ target, from, to }: FuzzTask) => {
  void work(target, from, to);
});
say({ kind: "ready" });

async function work(name: string, from: number, to: number): Promise<void> {
  const target = known.find((each) => each.name === name);
  if (target === undefined) throw new Error(`There is no target ${name}.`);
  let refused = 0;
  const progress = (next: number) => {
    say({ kind: "progress", next, refused });
    refused = 0;
  };
  for (let number = from; number < to; number++) {
    // So that the watching thread knows which input it was when this one hangs or dies.
    Atomics.store(current, 0, number);
    try {
      const input = mutate(target.seeds, number);
      await target.run(target.repair?.(input) ?? input);
    } catch (thrown) {
      if (thrown instanceof UserError) refused++;
      else say({ kind: "crash", number, error: describe(thrown) });
    }
    if (number % 16 === 0) {
      progress(number + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  progress(to);
  say({ kind: "done" });
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
