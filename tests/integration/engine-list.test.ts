import { describe, expect, it } from "vitest";
import { listEngines, openEngine } from "../../src/main/engine/registry.ts";

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
        expect(engine.reason).not.toMatch(/\n/);
      }
    }
    expect(engines[0]?.available).toBe(true);
  });

  it("open by name, and an absent or unknown one says why not", async () => {
    expect((await openEngine("auto")).description.name).toBe("onnxruntime-cpu");
    await expect(openEngine("abacus")).rejects.toThrow(/no engine named abacus.*onnxruntime-cpu/);
    for (const engine of (await listEngines()).filter((other) => !other.available))
      await expect(openEngine(engine.name)).rejects.toThrow(/cannot be used here/);
  });
});
