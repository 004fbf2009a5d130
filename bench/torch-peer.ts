import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

const program = join(import.meta.dirname, "../tests/peers/torch_turns.py");

const introductionSchema = z.object({
  /** Of torch, and of Opacus where it is installed. */
  versions: z.record(z.string(), z.string()),
  /** The steps that this peer can take: ordinary, hooks, ghost, opacus-hooks, opacus-ghost. */
  steps: z.array(z.string()),
  /** How far the private steps' sums are apart, relative. */
  difference: z.number(),
});

/** torch in a process of its own, which computes a step whenever it is asked to. */
export interface TorchPeer extends z.infer<typeof introductionSchema> {
  /** Milliseconds of one step. */
  time(step: string): Promise<number>;
  close(): Promise<void>;
}

function hasTorch(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Null where there is no torch. */
export async function openTorchPeer(options: {
  /** The Python that has torch. */
  readonly python: string;
  readonly network: string;
  readonly resolutionPixels: number;
  readonly batch: number;
  readonly labels: number;
  readonly threads: number;
}): Promise<TorchPeer | null> {
  if (!hasTorch(options.python)) return null;
  const { python, network, resolutionPixels, batch, labels, threads } = options;
  const numbers = [resolutionPixels, batch, labels, threads].map(String);
  const child = spawn(python, [program, network, ...numbers], {
    stdio: ["pipe", "pipe", "inherit"],
    // Memory that goes back to the system after each step comes back page by page, which makes
    // torch look two to four times slower than it is.
    env: {
      ...process.env,
      // Ours, which would overrule the following.
      GLIBC_TUNABLES: "",
      MALLOC_MMAP_MAX_: "0",
      MALLOC_TRIM_THRESHOLD_: "17179869184",
      MALLOC_TOP_PAD_: "67108864",
    },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("torch ended before it answered");
    return value;
  };
  return {
    ...introductionSchema.parse(JSON.parse(await answer())),
    time: async (step) => {
      child.stdin.write(`${step}\n`);
      return Number(await answer());
    },
    close: async () => {
      child.stdin.end();
      await once(child, "close");
    },
  };
}
