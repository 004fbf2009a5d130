import { fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runProbe, runProbeFile } from "../../src/main/engine/probe.ts";
import { childrenOf, isRunning } from "../support/processes.ts";

const crashing = join(import.meta.dirname, "../fixtures/crashing-probe.mjs");

describe("the probe of an engine", () => {
  it("outlives a library that aborts its process, and passes its last words on", async () => {
    const result = await runProbeFile(crashing, "aborts");
    expect(result.works).toBe(false);
    const { reason } = result as { reason: string };
    expect(reason).toMatch(/^the test process (was ended by SIGABRT|ended with code \d+)/);
    expect(reason).toContain("goodbye");
    expect(reason).not.toContain("\n");
  });

  it("says so of a process that ends without an answer", async () => {
    expect(await runProbeFile(crashing, "exits")).toEqual({
      works: false,
      reason: "the test process ended with code 3.",
    });
  });

  it("passes an answer on", async () => {
    expect(await runProbeFile(crashing, "answers")).toEqual({
      works: true,
      device: "device of answers",
      version: "1.0",
    });
  });

  it("says so where its program file is missing", async () => {
    const missing = await runProbeFile(join(crashing, "nothing.mjs"), "answers");
    expect(missing).toMatchObject({ works: false });
    expect(await runProbeFile(null, "answers")).toMatchObject({ works: false });
  });

  it("runs the product's own probe, which knows its engines by name", async () => {
    expect(await runProbe("onnxruntime-cpu")).toMatchObject({ works: true });
    expect(await runProbe("abacus")).toEqual({
      works: false,
      reason: "there is no engine named abacus.",
    });
  });

  it.skipIf(process.platform !== "linux")("ends with the process that started it", async () => {
    const parent = fork(join(import.meta.dirname, "../fixtures/measuring-parent.mjs"));
    const deadline = performance.now() + 20_000;
    while (childrenOf(parent.pid!).length === 0 && performance.now() < deadline) await sleep(20);
    const [probe] = childrenOf(parent.pid!);
    // By then it computes: a step of this size takes many seconds on a CPU.
    await sleep(3000);
    expect(isRunning(probe!)).toBe(true);
    parent.kill("SIGKILL");
    await sleep(1500);
    expect(isRunning(probe!)).toBe(false);
  });
});
