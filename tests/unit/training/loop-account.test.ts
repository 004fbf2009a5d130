import { describe, expect, it } from "vitest";
import { loopAccountLine, openLoopAccount } from "../../../src/main/training/loop-account.ts";

describe("the account of a run's time", () => {
  it("adds what each waiting took, one that fails included, and gives shares of the whole", async () => {
    let clock = 1000;
    const account = openLoopAccount(() => clock);
    const taking = (milliseconds: number) => () => {
      clock += milliseconds;
      return Promise.resolve(milliseconds);
    };
    expect(await account.during("engine", taking(700))).toBe(700);
    await account.during("engine", taking(200));
    await account.during("data", taking(40));
    const failing = account.during("journal", () => {
      clock += 10;
      return Promise.reject(new Error("the core is gone"));
    });
    await expect(failing).rejects.toThrow("the core is gone");
    account.add("noise", 20);
    clock += 50;
    account.add("checkpoints", 25);
    const waited = { engine: 900, data: 40, journal: 10, noise: 20, checkpoints: 25 };
    expect(account.read()).toEqual({ total: 1000, ...waited });
    expect(loopAccountLine(account, 1234)).toBe(
      "the steps took 1.0 s: engine 90.0 %, waiting for data 4.0 %, for the journal 1.0 %, " +
        "for noise 2.0 %, checkpoints 2.5 %, the rest 0.5 %; beside them threads made images for 1.2 s",
    );
  });
});
