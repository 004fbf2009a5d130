import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { engineEnvironment, keepsMemory } from "../../../src/main/engine/allocator.ts";

describe.runIf(process.platform === "linux")("the environment of an engine's process", () => {
  it("has glibc's allocator keep its memory, beside what was set already", () => {
    const plain = engineEnvironment({ HOME: "/home/one" });
    expect(plain["HOME"]).toBe("/home/one");
    expect(keepsMemory({ HOME: "/home/one" })).toBe(false);
    expect(keepsMemory(plain)).toBe(true);
    const own = engineEnvironment({ GLIBC_TUNABLES: "glibc.pthread.rseq=0" });
    expect(own["GLIBC_TUNABLES"]).toMatch(/^glibc\.pthread\.rseq=0:glibc\.malloc/);
  });

  it("is set once, however many processes start each other", () => {
    const once = engineEnvironment({});
    expect(engineEnvironment(once)).toEqual(once);
  });

  it("is taken without a word by the process that is started with it", () => {
    const told = execFileSync(process.execPath, ["-p", "6 * 7"], { env: engineEnvironment() });
    expect(told.toString().trim()).toBe("42");
  });
});
