import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  loadCanaryScores,
  loadNewestCheckpoint,
  type CheckedFile,
} from "../../../src/main/training/checkpoint.ts";
import { openCheckpointWriter } from "../../../src/main/training/checkpoint-thread.ts";
import { openWeightsMemory, type WeightsMemory } from "../../../src/main/training/kernel/kernel.ts";
import { createTrainingState, type TrainingState } from "../../../src/main/training/step.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const parameterCount = 1001;
const arrays = ["weights", "average", "firstMoment", "secondMoment"] as const;

function stateAt(step: number): TrainingState {
  const memory = openWeightsMemory(parameterCount, null);
  const state = createTrainingState(memory, new Float32Array(parameterCount));
  change(state, step);
  return state;
}

/** Moves a state on to another step, in place, with numbers that tell it. */
function change(state: TrainingState, step: number): void {
  state.step = step;
  state.optimiser.steps = step;
  state.optimiser.momentumProduct = 1 / (1 + step);
  arrays.forEach((name, index) => {
    state.memory[name].forEach((_, i) => (state.memory[name][i] = Math.sin(step + index + i)));
  });
}

function numbersOf(memory: WeightsMemory): number[][] {
  return arrays.map((name) => [...memory[name]]);
}

function writerFor(folder: string) {
  const written: { readonly step: number; readonly checkpoint: CheckedFile }[] = [];
  const writer = openCheckpointWriter(folder, (step, checkpoint) => {
    written.push({ step, checkpoint });
  });
  onTestFinished(() => writer.close());
  return { writer, written };
}

describe("a checkpoint", () => {
  it("holds the state as it was when it was saved, once released, though steps go on", async () => {
    const folder = temporaryFolder();
    const { writer, written } = writerFor(folder);
    const state = stateAt(3);
    const expected = numbersOf(state.memory);
    await writer.save(state, Float64Array.of(1, 2.5));
    await writer.released();
    change(state, 4);
    await writer.save(state, null);
    await writer.released();
    change(state, 5);
    await writer.finish();
    expect(written.map(({ step }) => step)).toEqual([3, 4]);
    const [first, second] = written;
    const memory = openWeightsMemory(parameterCount, "gaussian");
    const fail = (reason: string): never => expect.fail(reason);
    const back = loadNewestCheckpoint(folder, [first!.checkpoint], memory, fail);
    expect(back?.state).toMatchObject({
      step: 3,
      optimiser: { steps: 3, momentumProduct: 1 / 4 },
    });
    expect(numbersOf(memory)).toEqual(expected);
    expect([...loadCanaryScores(folder, first!.checkpoint)!]).toEqual([1, 2.5]);
    expect(loadCanaryScores(folder, second!.checkpoint)).toBeNull();
    expect(readdirSync(folder).toSorted()).toEqual([
      "checkpoint-3.safetensors",
      "checkpoint-4.safetensors",
    ]);
  });

  it("that is damaged leaves the memory to the one before", async () => {
    const folder = temporaryFolder();
    const { writer, written } = writerFor(folder);
    const state = stateAt(1);
    const expected = numbersOf(state.memory);
    await writer.save(state, null);
    await writer.finish();
    change(state, 2);
    await writer.save(state, null);
    await writer.finish();
    const [older, newer] = written.map(({ checkpoint }) => checkpoint);
    writeFileSync(join(folder, newer!.file), "nothing");
    const memory = openWeightsMemory(parameterCount, null);
    const reasons: string[] = [];
    const back = loadNewestCheckpoint(folder, [newer!, older!], memory, (reason) => {
      reasons.push(reason);
    });
    expect(back?.state.step).toBe(1);
    expect(numbersOf(memory)).toEqual(expected);
    expect(reasons).toEqual([expect.stringMatching(/damaged/)]);
  });

  it("that cannot be written fails the run, and is told of to nobody", async () => {
    const folder = join(temporaryFolder(), "gone");
    mkdirSync(folder);
    const { writer, written } = writerFor(folder);
    rmSync(folder, { recursive: true });
    const state = stateAt(1);
    await writer.save(state, null);
    await writer.released();
    await expect(writer.finish()).rejects.toThrow(/checkpoint could not be written/);
    expect(() => {
      writer.check();
    }).toThrow(/checkpoint could not be written/);
    await expect(writer.save(state, null)).rejects.toThrow(/checkpoint could not be written/);
    expect(written).toEqual([]);
  });

  it("under way is whole before the thread ends", async () => {
    const folder = temporaryFolder();
    const { writer, written } = writerFor(folder);
    await writer.save(stateAt(9), null);
    await writer.close();
    expect(written.map(({ step }) => step)).toEqual([9]);
    expect(readdirSync(folder)).toEqual(["checkpoint-9.safetensors"]);
  });
});
