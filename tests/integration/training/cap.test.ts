import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requireRun } from "../../../src/main/store/runs.ts";
import { setCap } from "../../../src/main/training/cap.ts";
import { startRun } from "../../../src/main/training/run-host.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { createPrivate, openPlace, setVariable, stepsDrawn, until } from "./place.ts";

const trainerFile = join(import.meta.dirname, "logistic-trainer.ts");

describe("a budget cap that is lowered while a run is under way", () => {
  it("ends the trainer before the step that would pass it, with its weights and scores", async () => {
    setVariable("TEST_STEP_MILLISECONDS", "40");
    const place = await openPlace();
    const { database, dataFolder, cohortId } = place;
    const runId = createPrivate(place);
    const { done } = startRun({ database, dataFolder, runId, trainerFile });
    await until(() => requireRun(database, runId).stepsJournaled >= 2);
    setCap(database, cohortId, 2);
    const run = await done;
    expect(run.state).toBe("stopped");
    expect(run.message).toMatch(/Stopped by the budget cap.*epsilon 2.*count as spent/);
    expect(run.scored).toBe(true);
    expect(run.stepsJournaled).toBeLessThan(run.plan.steps);
    expect(Math.max(...stepsDrawn(dataFolder, runId))).toBeLessThanOrEqual(run.stepsJournaled);
    const { epsilon, verification } = readLedger(database, cohortId);
    expect(epsilon).toBeLessThanOrEqual(2);
    expect(epsilon).toBeGreaterThan(1.8);
    expect(verification.intact).toBe(true);
  });
});
