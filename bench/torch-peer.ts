import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const python = "/usr/bin/python3";
const program = join(import.meta.dirname, "../tests/peers/torch_turns.py");

export const peerSteps = ["ordinary", "hooks", "ghost"] as const;

export type PeerStep = (typeof peerSteps)[number];

/** torch in a process of its own, which computes a step whenever it is asked to. */
export interface TorchPeer {
  /** How far hooks and ghost clipping are apart, relative. */
  readonly difference: number;
  /** Milliseconds of one step. */
  time(step: PeerStep): Promise<number>;
  close(): Promise<void>;
}

function hasTorch(): boolean {
  try {
    execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Null where there is no torch. */
export async function openTorchPeer(options: {
  readonly network: string;
  readonly resolutionPixels: number;
  readonly batch: number;
  readonly labels: number;
  readonly threads: number;
}): Promise<TorchPeer | null> {
  if (!hasTorch()) return null;
  const { network, resolutionPixels, batch, labels, threads } = options;
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
  const answer = async (): Promise<number> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("torch ended before it answered");
    return Number(value);
  };
  return {
    difference: await answer(),
    time: (step) => {
      child.stdin.write(`${step}\n`);
      return answer();
    },
    close: async () => {
      child.stdin.end();
      await once(child, "close");
    },
  };
}
