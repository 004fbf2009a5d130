import { expect, it } from "vitest";
import { choiceWords, timingWords } from "../../../src/shared/engine-choice.ts";

it("says what auto chose, and by what", () => {
  const choice = {
    engine: "onnxruntime-webgpu",
    how: "measured",
    timings: [
      { engine: "onnxruntime-webgpu", milliseconds: 3.14 },
      { engine: "onnxruntime-cpu", milliseconds: 12 },
    ],
    failed: [],
    measuredAt: "2026-11-24T23:30:00.000Z",
  } as const;
  expect(choiceWords(choice)).toBe("onnxruntime-webgpu, measured on 24 November 2026");
  expect(timingWords(choice)).toBe("onnxruntime-webgpu 3.1 ms, onnxruntime-cpu 12.0 ms an image");
  const failed = [{ engine: "tensorflow", reason: "it ran out of memory." }];
  expect(timingWords({ ...choice, failed })).toMatch(/12.0 ms an image; tensorflow failed$/);
});

it("says that nothing was measured where it was not", () => {
  const untimed = { engine: "onnxruntime-cpu", timings: [], failed: [], measuredAt: null } as const;
  expect(choiceWords({ ...untimed, how: "only" })).toBe("onnxruntime-cpu, the only one here");
  expect(choiceWords({ ...untimed, how: "unmeasured" })).toMatch(/measured when a run starts/);
  expect(timingWords({ ...untimed, how: "only" })).toBeNull();
});
