import { describe, expect, it } from "vitest";
import { knownAutomaticEngine, listEngines, openEngine } from "../../src/main/engine/registry.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

describe("the engines", () => {
  it("are listed with a device, or with a reason and what would help", async () => {
    const engines = await listEngines();
    expect(engines.map((engine) => engine.name)).toEqual([
      "onnxruntime-cpu",
      "onnxruntime-webgpu",
      "onnxruntime-dml",
      "onnxruntime-coreml",
      "onnxruntime-cuda",
      "tensorflow",
    ]);
    for (const engine of engines) {
      if (engine.available) {
        expect(engine.device).not.toBeNull();
        expect(engine.version).toMatch(/\d+\.\d+/);
        expect(engine.reason).toBeNull();
      } else {
        expect(engine.reason).toMatch(/needs|only/);
        // What a loader said, with the paths of this machine, stands by itself.
        expect(engine.reason).not.toMatch(/\n|node_modules\/@|https?:/);
      }
    }
    expect(engines[0]?.available).toBe(true);
  });

  it("include what auto takes, on the command line too", async () => {
    const folder = temporaryFolder();
    const task = { network: "resnet9-small", resolutionPixels: 64, dataFolder: folder };
    const known = await knownAutomaticEngine(task);
    expect(["only", "unmeasured"]).toContain(known.how);
    const json = await runJson("--data", folder, "engine", "list");
    expect(json).toMatchObject({ automatic: known });
    const unknown = ["--data", folder, "engine", "list", "--network", "resnet9000"];
    const { exitCode, stderr } = await runCli(unknown);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/no network named resnet9000/);
  });

  it("open by name, and an absent or unknown one says why not", async () => {
    expect((await openEngine("auto")).description.name).toBe("onnxruntime-cpu");
    await expect(openEngine("abacus")).rejects.toThrow(/no engine named abacus.*onnxruntime-cpu/);
    for (const engine of (await listEngines()).filter((other) => !other.available))
      await expect(openEngine(engine.name)).rejects.toThrow(/cannot be used here/);
  });
});
