import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importPaths } from "../../src/main/intake/intake.ts";
import { openDatabase, type Database } from "../../src/main/store/database.ts";
import { FrameReader } from "../../src/main/store/image-cache.ts";
import { frameLocations } from "../../src/main/store/images.ts";
import { writeFilm } from "../support/films.ts";
import { addCohort } from "../support/store.ts";

let folder: string;
let films: string;
const mounted: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "silhouette-disks-"));
  films = join(folder, "films");
  mkdirSync(films);
});
afterEach(() => {
  for (const place of mounted.splice(0)) spawnSync("umount", ["-l", place]);
  rmSync(folder, { recursive: true, force: true });
});

/** Who may mount can have a small disk, and a share that does not answer. */
function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const place = mkdtempSync(join(tmpdir(), "silhouette-mount-"));
  const can = spawnSync("mount", ["-t", "tmpfs", "tmpfs", place]).status === 0;
  if (can) spawnSync("umount", [place]);
  rmSync(place, { recursive: true, force: true });
  return can;
}
const mayMount = canMount();

describe.skipIf(!mayMount)("a disk that is full (skipped where nothing may be mounted)", () => {
  function smallDisk(): string {
    const place = join(folder, "small");
    mkdirSync(place);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", place]);
    mounted.push(place);
    return place;
  }

  /** Leaves so much room, and no more, beside what is there already. */
  function fillUp(place: string, bytesLeft: number): void {
    const { bavail, bsize } = statfsSync(place);
    writeFileSync(join(place, "filler"), Buffer.alloc(bavail * bsize - bytesLeft));
  }

  async function importsAfterRoomWasMade(place: string, framePixels: number, bytesLeft: number) {
    const dataFolder = place;
    const total = 300;
    for (let i = 0; i < total; i++) writeFileSync(join(films, `${i}.dcm`), writeFilm(i, i));
    const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
    try {
      const cohortId = addCohort(database, framePixels);
      const options = { database, dataFolder, cohortId, paths: [films], workers: 2 };
      fillUp(place, bytesLeft);
      await expect(importPaths(options)).rejects.toMatchObject({
        kind: "resource",
        message: expect.stringMatching(/^The disk of .* is full\. Free some space/) as string,
      });
      const before = checked(database, dataFolder, framePixels);
      expect(before).toBeLessThan(total);
      rmSync(join(place, "filler"));
      const result = await importPaths(options);
      expect(result).toMatchObject({ imported: total - before, quarantined: [] });
      expect(checked(database, dataFolder, framePixels)).toBe(total);
    } finally {
      database.close();
    }
  }

  /** How many films there are; each has its whole frame. */
  function checked(database: Database, dataFolder: string, framePixels: number): number {
    const ids = database.prepare("SELECT id FROM image").pluck().all() as number[];
    const reader = new FrameReader(dataFolder, framePixels);
    reader.read(frameLocations(database, ids));
    reader.close();
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    return ids.length;
  }

  it("for frames ends the import in words, and the next one brings the rest", async () => {
    await importsAfterRoomWasMade(smallDisk(), 256, 4 * 1024 * 1024);
  }, 60_000);

  it("for the store does so too", async () => {
    // The frames lie on another disk, and what is left of this one does not hold the rows.
    const place = smallDisk();
    mkdirSync(join(folder, "images"));
    symlinkSync(join(folder, "images"), join(place, "images"));
    await importsAfterRoomWasMade(place, 32, 200 * 1024);
  }, 60_000);
});

describe.skipIf(!mayMount || spawnSync("cc", ["--version"]).status !== 0)(
  "a share that stops answering (skipped where nothing may be mounted, or without a compiler)",
  () => {
    let share: ChildProcess | null = null;
    afterEach(() => {
      // Whoever still waits for the share gets an error.
      share?.kill("SIGKILL");
      share = null;
    });

    async function stallingShare(kind: "read" | "list"): Promise<string> {
      const program = join(folder, "stalling-share");
      const source = join(import.meta.dirname, "../support/stalling-share.c");
      execFileSync("cc", ["-O1", "-o", program, source]);
      const place = join(folder, "share");
      mkdirSync(place);
      const child = spawn(program, [place, kind], { stdio: ["ignore", "pipe", "inherit"] });
      share = child;
      mounted.push(place);
      await new Promise<void>((resolve, reject) => {
        child.stdout.once("data", () => resolve());
        child.once("exit", () => reject(new Error("The share could not be mounted.")));
      });
      return place;
    }

    async function withCohort(
      run: (options: Parameters<typeof importPaths>[0]) => Promise<void>,
    ): Promise<void> {
      const dataFolder = join(folder, "data");
      const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
      try {
        const cohortId = addCohort(database, 32);
        await run({
          database,
          dataFolder,
          cohortId,
          paths: [films],
          workers: 2,
          fileTimeoutMilliseconds: 1500,
        });
      } finally {
        share?.kill("SIGKILL");
        database.close();
      }
    }

    it("in the middle of a file costs that file, with its reason", async () => {
      for (let i = 0; i < 20; i++) writeFileSync(join(films, `${i}.dcm`), writeFilm(i, i));
      const place = await stallingShare("read");
      await withCohort(async (options) => {
        const result = await importPaths({ ...options, paths: [place, films] });
        expect(result).toMatchObject({ found: 21, imported: 20 });
        expect(result.quarantined).toEqual([
          { path: join(place, "film.dcm"), reason: expect.stringMatching(/longer than/) as string },
        ]);
      });
    }, 60_000);

    it("in the middle of a file can be cancelled at once, and what was read stays", async () => {
      for (let i = 0; i < 40; i++) writeFileSync(join(films, `${i}.dcm`), writeFilm(i, i));
      const place = await stallingShare("read");
      await withCohort(async (options) => {
        const abort = new AbortController();
        const patient = { ...options, fileTimeoutMilliseconds: 60_000 };
        let cancelledAt = 0;
        setTimeout(() => {
          cancelledAt = performance.now();
          abort.abort();
        }, 4000);
        const paths = [place, films];
        const result = await importPaths({ ...patient, paths, signal: abort.signal });
        expect(performance.now() - cancelledAt).toBeLessThan(2000);
        expect(result).toMatchObject({ cancelled: true, quarantined: [] });
        // Those behind the stalled film wait with it; all others were read by the other worker.
        expect(result.imported).toBeGreaterThan(25);
        const rest = await importPaths({ ...patient, paths: [films] });
        expect(rest).toMatchObject({ imported: 40 - result.imported, quarantined: [] });
      });
    }, 60_000);

    it("at a folder ends the import in words, and what was read stays", async () => {
      for (let i = 0; i < 20; i++) writeFileSync(join(films, `${i}.dcm`), writeFilm(i, i));
      const place = await stallingShare("list");
      await withCohort(async (options) => {
        await expect(importPaths({ ...options, paths: [films, place] })).rejects.toThrow(
          /no answer for 2 seconds\. Check the network drive/,
        );
        expect(options.database.prepare("SELECT count(*) FROM image").pluck().get()).toBe(20);
      });
    }, 60_000);

    it("at a folder can be cancelled at once", async () => {
      writeFileSync(join(films, "1.dcm"), writeFilm(1, 1));
      const place = await stallingShare("list");
      await withCohort(async (options) => {
        const abort = new AbortController();
        setTimeout(() => abort.abort(), 700);
        const patient = { ...options, fileTimeoutMilliseconds: 60_000, signal: abort.signal };
        const result = await importPaths({ ...patient, paths: [films, place] });
        expect(result).toMatchObject({ cancelled: true, imported: 1 });
        expect(result.seconds).toBeLessThan(20);
      });
    }, 60_000);
  },
);
