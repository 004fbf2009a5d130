import { describe, expect, it } from "vitest";
import type { JobProgress } from "../../../src/shared/domain.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { Jobs } from "../../../src/main/core/jobs.ts";

const description = { kind: "intake", cohortId: 1, phase: "Reading", unit: "files" } as const;

describe("a job", () => {
  it("reports progress and ends with its result", async () => {
    const sent: JobProgress[] = [];
    const jobs = new Jobs((progress) => sent.push(progress));
    const jobId = jobs.start(description, (control) => {
      control.report({ done: 3, total: 3 });
      return Promise.resolve({ imported: 3 });
    });
    const last = await jobs.finished(jobId);
    expect(last).toMatchObject({ state: "finished", done: 3, total: 3, result: { imported: 3 } });
    expect(sent[0]).toMatchObject({ state: "running", done: 0 });
    expect(sent.at(-1)).toEqual(last);
  });

  it("keeps the message of its error", async () => {
    const jobs = new Jobs(() => undefined);
    const jobId = jobs.start(description, () =>
      Promise.reject(new UserError("input", "The folder is empty. Choose another.")),
    );
    expect(await jobs.finished(jobId)).toMatchObject({
      state: "failed",
      error: "The folder is empty. Choose another.",
    });
  });

  it("waits while paused and goes on when resumed", async () => {
    const jobs = new Jobs(() => undefined);
    const steps: string[] = [];
    const start = Promise.withResolvers<undefined>();
    const jobId = jobs.start(description, async (control) => {
      await start.promise;
      await control.whileRunning();
      steps.push("worked");
    });
    expect(jobs.pause(jobId, true).state).toBe("paused");
    start.resolve(undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(steps).toEqual([]);
    jobs.pause(jobId, false);
    expect((await jobs.finished(jobId)).state).toBe("finished");
    expect(steps).toEqual(["worked"]);
  });

  it("stops at its next pause for breath when cancelled, also while paused", async () => {
    const jobs = new Jobs(() => undefined);
    const jobId = jobs.start(description, async (control) => {
      for (;;) {
        await control.whileRunning();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    jobs.pause(jobId, true);
    jobs.cancel(jobId);
    expect((await jobs.finished(jobId)).state).toBe("cancelled");
  });

  it("that nobody knows is reported as gone", () => {
    const jobs = new Jobs(() => undefined);
    expect(() => jobs.cancel("none")).toThrow(/ended/);
  });
});
