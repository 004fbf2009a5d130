import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPreparation } from "../../src/main/dicom/pipeline.ts";
import { DecodePool } from "../../src/main/intake/decode-pool.ts";
import { importPaths } from "../../src/main/intake/intake.ts";
import type { ImportOptions } from "../../src/main/intake/options.ts";
import type { ImportResult } from "../../src/shared/domain.ts";
import { FrameReader } from "../../src/main/store/image-cache.ts";
import { frameLocations } from "../../src/main/store/images.ts";
import { seeded, writeFilm } from "../support/films.ts";
import { temporaryStore, type TemporaryStore } from "../support/store.ts";

let store: TemporaryStore;
let films: string;

beforeEach(() => {
  store = temporaryStore();
  films = join(store.folder, "films");
  mkdirSync(films);
});
afterEach(() => {
  store.remove();
});

function options(changes: Partial<ImportOptions> = {}): ImportOptions {
  const { database, dataFolder, cohortId } = store;
  return { database, dataFolder, cohortId, paths: [films], workers: 2, ...changes };
}

function count(sql: string): number {
  return store.database.prepare(sql).pluck().get() as number;
}

const importer = fileURLToPath(new URL("../support/import-process.ts", import.meta.url));

describe("an import that is killed", () => {
  /**
   * Runs an import in a process of its own and kills it a while after it has said that it has
   * started, or that it has committed films. Tells whether it was still running.
   */
  function importAndKill(said: "started" | "committed", afterMilliseconds: number) {
    return new Promise<boolean>((resolve, reject) => {
      const child = spawn(
        process.execPath,
        [importer, store.dataFolder, String(store.cohortId), films],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      let timer: NodeJS.Timeout | null = null;
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes(said)) {
          timer ??= setTimeout(() => child.kill("SIGKILL"), afterMilliseconds);
        }
      });
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        if (timer !== null) clearTimeout(timer);
        if (code !== null && code !== 0) {
          reject(new Error(`The importer ended with ${code}.`));
        } else {
          resolve(signal === "SIGKILL");
        }
      });
    });
  }

  it("at any moment leaves whole films only, and the next import brings each exactly once", async () => {
    // Many for the times below: an import that is through before it is killed proves nothing.
    const total = 6000;
    for (let i = 0; i < total; i++) writeFileSync(join(films, `${i}.dcm`), writeFilm(i, i % 50));
    const random = seeded(20260103);
    expect(await importAndKill("started", random() * 400)).toBe(true);
    checkConsistency();
    expect(await importAndKill("committed", random() * 100)).toBe(true);
    checkConsistency();
    const afterFirst = count("SELECT count(*) FROM image");
    expect(afterFirst).toBeGreaterThan(0);
    expect(afterFirst).toBeLessThan(total);
    await importAndKill("committed", random() * 100);
    checkConsistency();
    const before = count("SELECT count(*) FROM image");
    const result = await importPaths(options());
    expect(result.quarantined).toEqual([]);
    expect(result.imported).toBe(total - before);
    checkConsistency();
    expect(count("SELECT count(*) FROM image")).toBe(total);
    expect(count("SELECT count(*) FROM source_file WHERE outcome = 'imported'")).toBe(total);
    expect(count("SELECT count(DISTINCT content_hash) FROM image")).toBe(total);
  }, 180_000);

  function checkConsistency(): void {
    const ids = store.database.prepare("SELECT id FROM image").pluck().all() as number[];
    const sources = count("SELECT count(*) FROM source_file WHERE outcome = 'imported'");
    expect(sources).toBe(ids.length);
    const reader = new FrameReader(store.dataFolder, 32);
    // Throws where a frame is missing, short or another one than its row says.
    reader.read(frameLocations(store.database, ids));
    reader.close();
    expect(store.database.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(store.database.pragma("foreign_key_check")).toEqual([]);
  }
});

describe("a worker that breaks down or hangs", () => {
  const entry = pathToFileURL(
    fileURLToPath(new URL("../support/fragile-worker.ts", import.meta.url)),
  );

  it("costs the file it was working on, not the one behind it", async () => {
    const pool = new DecodePool({
      workers: 1,
      framePixels: 32,
      preparation: defaultPreparation,
      timeoutMilliseconds: 1500,
      entry,
    });
    try {
      const answers = await Promise.all(
        ["good-1", "crash", "good-2", "hang", "good-3"].map(async (name) => {
          const path = join(films, name);
          writeFileSync(path, writeFilm(1, 1));
          return pool.run(path);
        }),
      );
      expect(answers.map((answer) => ("film" in answer ? "film" : answer.rejection.code))).toEqual([
        "film",
        "decoder-crashed",
        "film",
        "decoder-timeout",
        "film",
      ]);
    } finally {
      await pool.close();
    }
  }, 60_000);

  it("that cannot start at all fails the import instead of blaming the films", async () => {
    const missing = pathToFileURL(join(films, "no-such-worker.ts"));
    const pool = new DecodePool({
      workers: 1,
      framePixels: 32,
      preparation: defaultPreparation,
      timeoutMilliseconds: 60_000,
      entry: missing,
    });
    await expect(pool.run("film")).rejects.toThrow(/cannot be started/);
    await pool.close();
  });
});

describe("a file system that lets the import down", () => {
  it("stops with a clear message when the folder vanishes, and keeps what was done", async () => {
    for (let i = 0; i < 400; i++) writeFileSync(join(films, `${i}.dcm`), writeFilm(i, i));
    // The import asks before each film whether it is paused: after fifty the folder goes, however
    // fast the machine.
    let asked = 0;
    const running = importPaths(
      options({
        pause: {
          get paused() {
            asked += 1;
            if (asked === 50) rmSync(films, { recursive: true });
            return false;
          },
          resumed: () => Promise.resolve(),
        },
      }),
    );
    await expect(running).rejects.toThrow(/is no longer reachable/);
    expect(count("SELECT count(*) FROM image")).toBeGreaterThan(0);
    expect(count("SELECT count(*) FROM image")).toBeLessThan(400);
  }, 60_000);
});

/** Root may read all, so the command runs as the user that owns nothing. */
const otherUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const command = fileURLToPath(new URL("../../src/main/cli/main.ts", import.meta.url));
const reachable =
  process.platform !== "win32" &&
  spawnSync(process.execPath, [command, "--help"], { ...otherUser, stdio: "ignore" }).status === 0;

describe.skipIf(!reachable)(
  "files without permission (skipped on Windows, and where another user cannot run the command)",
  () => {
    /** Runs a program as a user to whom `store.folder` belongs; gives the last line it wrote. */
    function asOther(...program: string[]): ImportResult {
      if ("uid" in otherUser) {
        execFileSync("chown", ["-R", `${otherUser.uid}:${otherUser.gid}`, store.folder]);
      }
      const run = spawnSync(process.execPath, program, {
        ...otherUser,
        encoding: "utf8",
        env: { ...process.env, HOME: store.folder, NODE_NO_WARNINGS: "1" },
      });
      if (run.status !== 0) throw new Error(run.stderr);
      return JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "") as ImportResult;
    }

    it("and such folders are quarantined in words, and taken once they may be read", () => {
      writeFileSync(join(films, "1.dcm"), writeFilm(1, 1));
      writeFileSync(join(films, "2.dcm"), writeFilm(2, 2));
      chmodSync(join(films, "2.dcm"), 0);
      mkdirSync(join(films, "closed"));
      writeFileSync(join(films, "closed", "3.dcm"), writeFilm(3, 3));
      chmodSync(join(films, "closed"), 0);
      const data = join(store.folder, "other");
      const result = asOther(command, "--data", data, "--json", "import", "Ward", films);
      expect(result).toMatchObject({ found: 3, imported: 1 });
      expect(result.quarantined.map(({ path }) => path).sort()).toEqual([
        join(films, "2.dcm"),
        join(films, "closed"),
      ]);
      for (const { reason } of result.quarantined) {
        expect(reason).toMatch(/may not be read by this user/);
      }
      chmodSync(join(films, "2.dcm"), 0o600);
      chmodSync(join(films, "closed"), 0o700);
      expect(asOther(importer, data, "1", films, "retry")).toMatchObject({
        imported: 2,
        duplicates: 1,
        quarantined: [],
      });
    }, 60_000);
  },
);

describe("identities", () => {
  /** Every file under a folder, at any depth. */
  function filesUnder(folder: string): string[] {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile());
  }

  it("planted anywhere in files and paths are found in nothing that intake writes", async () => {
    const secrets = [
      "ZZNAME",
      "ZZPATIENTID",
      "ZZOTHERID",
      "ZZPHYSICIAN",
      "ZZHOSPITAL",
      "ZZCOMMENT",
      "ZZFOLDER",
      "ZZFILE",
      "ZZPRIVATE",
      "ZZDEVICE",
      "ZZMAKER",
      "ZZSERIES",
      "ZZBODY",
      "ZZVIEW",
      "ZZADDRESS",
      "ZZSHAPE",
      "ZZNESTED",
    ];
    const numbers = ["19470911", "1947-09-11", "20190823", "2019-08-23", "987654321", "77665544"];
    const planted = {
      "00100010": "ZZNAME^ZZNAME",
      "00100020": "ZZPATIENTID",
      "00101000": "ZZOTHERID",
      "00101040": "ZZADDRESS",
      "00104000": "ZZCOMMENT",
      "00100030": "19470911",
      "00080020": "20190823",
      "00080090": "ZZPHYSICIAN",
      "00080080": "ZZHOSPITAL",
      "00080070": "ZZMAKER",
      "0008103E": "ZZSERIES",
      "00080050": "77665544",
      "00081010": "ZZDEVICE",
      "00090010": "ZZPRIVATE",
      "00091001": "ZZPRIVATE",
      "00400275": [{ "00321032": "ZZNESTED" }],
      "0020000D": "1.2.3.987654321.1",
      "0020000E": "1.2.3.987654321.2",
    };
    const folder = join(films, "ZZFOLDER");
    mkdirSync(folder);
    const film = (number: number, changes: object) =>
      writeFilm(number, 1, {
        ...planted,
        "00080018": `1.2.3.987654321.3.${number}`,
        ...changes,
      });
    const put = (name: string, bytes: Uint8Array | string) => {
      writeFileSync(join(folder, `ZZFILE-${name}`), bytes);
    };
    put("good.dcm", film(1, {}));
    put("lateral.dcm", film(2, { "00185101": "LL" }));
    put("body.dcm", film(3, { "00180015": "ZZBODY" }));
    put("view.dcm", film(4, { "00185101": "ZZVIEW" }));
    put("shape.dcm", film(5, { "20500020": "ZZSHAPE" }));
    put("again.dcm", film(1, {}));
    put("clash.dcm", film(6, { "00080018": "1.2.3.987654321.3.1" }));
    put("twin.dcm", film(1, { "00080018": "1.2.3.987654321.3.99" }));
    put("modality.dcm", film(7, { "00080060": "ZZVIEW" }));
    put("colours.dcm", film(8, { "00280004": "ZZSHAPE" }));
    put("syntax.dcm", writeFilm(9, 1, planted, { transferSyntax: "1.2.3.987654321.9" }));
    put("cut.dcm", film(10, {}).subarray(0, 900));
    put("text.dcm", "ZZNAME has no film");
    const result = await importPaths(options());
    expect(result.imported).toBeGreaterThanOrEqual(5);
    expect(result.quarantined.length).toBeGreaterThanOrEqual(5);
    for (const { reason } of result.quarantined) {
      for (const secret of [...secrets, ...numbers]) expect(reason).not.toContain(secret);
    }
    const files = filesUnder(store.dataFolder);
    expect(files.some((file) => file.endsWith("-wal"))).toBe(true);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const secret of [...secrets, ...numbers]) {
        const utf16 = Buffer.from(secret, "utf16le");
        expect(bytes.includes(secret), `${secret} in ${file}`).toBe(false);
        expect(bytes.includes(utf16), `${secret} in ${file}`).toBe(false);
      }
    }
  }, 60_000);
});
