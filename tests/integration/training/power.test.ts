import { execFileSync, fork, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../../src/main/store/database.ts";
import { requireRun } from "../../../src/main/store/runs.ts";
import { recoverRuns, requeueRun } from "../../../src/main/training/recovery.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { seeded } from "../../support/films.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { createPrivate, openPlace, until } from "./place.ts";

const shimSource = join(import.meta.dirname, "../../support/disk-images.c");
const trainerFile = join(import.meta.dirname, "logistic-trainer.ts");
const coreProcess = join(import.meta.dirname, "core-process.ts");

/** The preloaded library records what reached the disk; it is built where there is a compiler. */
function canBuildShim(): boolean {
  if (process.platform !== "linux") return false;
  return spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;
}

function buildShim(folder: string): string {
  const library = join(folder, "disk-images.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, shimSource, "-ldl"]);
  return library;
}

type DiskEvent =
  | { readonly kind: "synced"; readonly image: number; readonly name: string }
  | { readonly kind: "noise"; readonly step: number };

function eventsOf(images: string): DiskEvent[] {
  const file = join(images, "events");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line): DiskEvent => {
      const [kind, number, name = ""] = line.split(" ");
      return kind === "noise"
        ? { kind, step: Number(number) }
        : { kind: "synced", image: Number(number), name };
    });
}

const skipped = !canBuildShim();
const name = "the disk holds every step whose noise is drawn, and the run can be recovered";

describe("a power cut at any moment of a private run", () => {
  it.skipIf(skipped)(skipped ? `${name} (skipped: needs Linux and cc)` : name, async () => {
    const place = await openPlace();
    const { database, dataFolder, store, cohortId } = place;
    const runId = createPrivate(place, { epochs: 2000 });
    database.pragma("wal_checkpoint(TRUNCATE)");
    const images = temporaryFolder();
    copyFileSync(store, join(images, "0-store.sqlite"));

    const core = fork(coreProcess, [store, dataFolder, runId, trainerFile], {
      execArgv: [],
      env: {
        ...process.env,
        LD_PRELOAD: buildShim(temporaryFolder()),
        DISK_STORE: store,
        DISK_IMAGES: images,
        TEST_STEP_MILLISECONDS: "3",
      },
    });
    onTestFinished(() => {
      core.kill("SIGKILL");
    });
    const noiseEvents = (): number =>
      eventsOf(images).filter(({ kind }) => kind === "noise").length;
    await until(() => noiseEvents() >= 60);
    core.kill("SIGKILL");
    await new Promise((resolve) => core.once("exit", resolve));
    // The trainer dies with its core; until then it must not draw for a step that is not on disk.
    await sleep(500);

    const events = eventsOf(images);
    const drawn = events.flatMap((event, at) => (event.kind === "noise" ? [{ ...event, at }] : []));
    const random = seeded(21);
    const last = drawn.at(-1)!;
    const moments = [drawn[0]!, last];
    for (let i = 0; i < 8; i += 1) moments.push(drawn[Math.floor(random() * drawn.length)]!);
    for (const { step, at } of moments) {
      const before = events.slice(0, at);
      const walImage = lastImage(before, "store.sqlite-wal");
      expect(walImage).toBeGreaterThan(0);
      const wal = readFileSync(join(images, `${walImage}-store.sqlite-wal`));
      // At worst nothing that was not synchronised survives; or part of what came after it does.
      const next = nextImage(events.slice(at), "store.sqlite-wal");
      const later = next === 0 ? wal : readFileSync(join(images, `${next}-store.sqlite-wal`));
      const kept = wal.length + Math.floor(random() * Math.max(0, later.length - wal.length));
      const goesOn = later.subarray(0, wal.length).equals(wal);
      const torn = goesOn ? later.subarray(0, kept) : wal;
      for (const survived of [wal, torn]) {
        const folder = temporaryFolder();
        const restored = join(folder, "store.sqlite");
        copyFileSync(join(images, `${lastImage(before, "store.sqlite")}-store.sqlite`), restored);
        writeFileSync(`${restored}-wal`, survived);
        const after = openDatabase(restored);
        try {
          expect(after.pragma("integrity_check", { simple: true })).toBe("ok");
          expect(requireRun(after, runId).stepsJournaled).toBeGreaterThanOrEqual(step);
          const [closed] = recoverRuns(after);
          expect(closed).toMatchObject({ id: runId, state: "failed" });
          expect(closed!.stepsJournaled).toBeGreaterThanOrEqual(step);
          expect(closed!.epsilonSpent).toBeGreaterThan(0);
          expect(readLedger(after, cohortId).verification).toMatchObject({
            intact: true,
            findings: [],
          });
          // It goes on after the steps that are spent.
          expect(requeueRun(after, runId).stepsJournaled).toBe(closed!.stepsJournaled);
        } finally {
          after.close();
        }
      }
    }
    expect(drawn.map(({ step }) => step)).toEqual(drawn.map((_, i) => i + 1));
  });
});

/** The number of a file's last copy among events; 0 for what it was before the run. */
function lastImage(events: readonly DiskEvent[], file: string): number {
  const found = events.findLast((event) => event.kind === "synced" && event.name === file);
  return found?.kind === "synced" ? found.image : 0;
}

function nextImage(events: readonly DiskEvent[], file: string): number {
  const found = events.find((event) => event.kind === "synced" && event.name === file);
  return found?.kind === "synced" ? found.image : 0;
}
