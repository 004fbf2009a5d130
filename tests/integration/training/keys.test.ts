import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { startRun } from "../../../src/main/training/run-host.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { createPrivate, openPlace, setVariable } from "./place.ts";

const trainerFile = join(import.meta.dirname, "logistic-trainer.ts");
const recorder = join(import.meta.dirname, "../../support/record-keys.mjs");

describe("the keys of a private run's random numbers", () => {
  it("are separate for each purpose and thread, and stand in no file of the data folder", async () => {
    const record = join(temporaryFolder(), "keys");
    setVariable("KEY_RECORD", record);
    setVariable("NODE_OPTIONS", `--import=${pathToFileURL(recorder).href}`);
    const place = await openPlace();
    const { database, dataFolder } = place;
    const runId = createPrivate(place);
    const run = await startRun({ database, dataFolder, runId, trainerFile, checkpointSeconds: 0 })
      .done;
    expect(run.state).toBe("finished");

    const lines = readFileSync(record, "utf8").trim().split("\n");
    const keys = lines.map((line) => {
      const [purpose = "", hex = ""] = line.split(" ");
      return { purpose, bytes: Buffer.from(hex, "hex") };
    });
    // The trainer's own streams, and those of its thread that draws the noise.
    for (const purpose of ["secret", "silhouette-sampling-1", "silhouette-noise-1"]) {
      expect(keys.filter((key) => key.purpose === purpose).length).toBeGreaterThanOrEqual(2);
    }
    const derived = keys.filter(({ purpose }) => purpose.includes("-1"));
    const own = keys.filter(({ purpose }) => purpose === "secret");
    expect(new Set([...derived, ...own].map(({ bytes }) => bytes.toString("hex"))).size).toBe(
      derived.length + own.length,
    );

    const files = readdirSync(dataFolder, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    const names = files.map((entry) => entry.name);
    expect(names).toContain("trainer.log");
    expect(names.some((name) => /^weights.*\.safetensors$/.test(name))).toBe(true);
    expect(names.some((name) => /^checkpoint.*\.safetensors$/.test(name))).toBe(true);
    for (const entry of files) {
      const content = readFileSync(join(entry.parentPath, entry.name));
      for (const { purpose, bytes } of keys) {
        const written = [
          bytes,
          bytes.toString("hex"),
          bytes.toString("hex").toUpperCase(),
          bytes.toString("base64").replace(/=+$/, ""),
          bytes.toString("base64url"),
          JSON.stringify([...bytes]).slice(1, -1),
        ];
        const found = written.some((form) => content.includes(form));
        expect(found, `${purpose} in ${entry.name}`).toBe(false);
      }
    }
  });
});
