import { fork, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultPreparation, pixelPipelineOf } from "../../src/main/dicom/pipeline.ts";
import { openDatabase } from "../../src/main/store/database.ts";
import { openSiteIdentity } from "../../src/main/store/identity.ts";
import { FrameReader } from "../../src/main/store/image-cache.ts";
import { openKey, sealKey } from "../../src/main/store/backup/sealed-key.ts";
import { writeBackup } from "../../src/main/store/backup/backup.ts";
import { restoreBackup } from "../../src/main/store/backup/restore.ts";
import { makeBrightCohort } from "../support/bright-cohort.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

const folder = temporaryFolder();
const data = join(folder, "data");
const passphraseFile = join(folder, "passphrase");

beforeAll(async () => {
  writeFileSync(passphraseFile, "correct horse battery staple\n");
  const database = openDatabase(join(data, "silhouette.sqlite"));
  openSiteIdentity(data, database);
  await makeBrightCohort(database, data, { patients: 60, framePixels: 64, seed: 9 });
  // Films can be imported into it.
  database.prepare("UPDATE cohort SET pixel_pipeline = ?").run(pixelPipelineOf(defaultPreparation));
  database.close();
});

function allFrames(dataFolder: string): string {
  const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
  const locations = database
    .prepare(
      `SELECT frame_shard AS shard, frame_position AS position, frame_checksum AS checksum
       FROM image ORDER BY id`,
    )
    .all() as { shard: string; position: number; checksum: number }[];
  const reader = new FrameReader(dataFolder, 64);
  const digest = createHash("sha256").update(reader.read(locations)).digest("hex");
  reader.close();
  database.close();
  return `${locations.length} ${digest}`;
}

describe("a backup", () => {
  it("goes round: store, frames and the sealed key come back, each checked", async () => {
    await runJson("ledger", "bright 9", "--cap", "8", "--data", data);
    const file = join(folder, "round.tar");
    const written = await runJson(
      ...["backup", file, "--passphrase-file", passphraseFile, "--data", data],
    );
    expect(written).toMatchObject({ file, siteKey: "sealed" });
    expect(createHash("sha256").update(readFileSync(file)).digest("hex")).toBe(written["sha256"]);
    // The key must not lie in it in the clear.
    expect(readFileSync(file).includes(readFileSync(join(data, "site.key")))).toBe(false);

    const target = join(folder, "restored");
    const restored = await runJson(
      ...["restore", file, "--passphrase-file", passphraseFile, "--data", target],
    );
    expect(restored).toMatchObject({ siteKey: "restored" });
    // The ledger says from now on that it came back from this backup.
    const gap = { what: "restored", backupAt: written["createdAt"] };
    expect(restored["ledgers"]).toMatchObject([{ intact: true, gaps: [gap] }]);
    expect(await runJson("ledger", "bright 9", "--data", target)).toMatchObject({
      verification: { intact: true, gaps: [gap] },
    });
    expect(readFileSync(join(target, "site.key"))).toEqual(readFileSync(join(data, "site.key")));
    expect(allFrames(target)).toBe(allFrames(data));
    expect(await runJson("cohort", "bright 9", "--data", target)).toEqual(
      await runJson("cohort", "bright 9", "--data", data),
    );
  });

  it("leaves the key out unless asked; the restored folder works but takes no new films", async () => {
    const file = join(folder, "keyless.tar");
    const written = await runJson("backup", file, "--data", data);
    expect(written).toMatchObject({ siteKey: "absent" });
    const target = join(folder, "keyless");
    expect(await runJson("restore", file, "--data", target)).toMatchObject({ siteKey: "absent" });
    await runJson("cohort", "bright 9", "--data", target);
    const films = join(folder, "films");
    await runJson("phantoms", films, "--patients", "1", "--seed", "1", "--size", "64");
    const refused = await runCli(["import", "bright 9", films, "--data", target]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/site key/);
    writeFileSync(join(target, "site.key"), readFileSync(join(data, "site.key")));
    await runJson("import", "bright 9", films, "--data", target);
  });

  it("is refused into a folder that holds something, and with a wrong passphrase", async () => {
    const file = join(folder, "round.tar");
    const full = await runCli(["restore", file, "--data", data]);
    expect(full).toMatchObject({ exitCode: 1, stdout: "" });
    expect(full.stderr).toMatch(/not empty/);
    const wrong = join(folder, "wrong");
    writeFileSync(wrong, "incorrect horse\n");
    const target = join(folder, "locked");
    const locked = await runCli(["restore", file, "--passphrase-file", wrong, "--data", target]);
    expect(locked.exitCode).toBe(1);
    expect(locked.stderr).toMatch(/passphrase/);
    expect(existsSync(target)).toBe(false);
  });

  it("that was damaged or cut short is refused and leaves nothing", async () => {
    const bytes = readFileSync(join(folder, "round.tar"));
    const changed = Buffer.from(bytes);
    const middle = Math.floor(bytes.length / 2);
    changed[middle] = changed[middle]! ^ 1;
    const cases = { changed, cut: bytes.subarray(0, middle), other: Buffer.from("no archive") };
    for (const [name, content] of Object.entries(cases)) {
      const file = join(folder, `${name}.tar`);
      writeFileSync(file, content);
      const target = join(folder, `from-${name}`);
      await expect(
        restoreBackup({ file, dataFolder: target, passphrase: null }),
        name,
      ).rejects.toThrow(/backup/);
      expect(readdirSync(folder).filter((other) => other.startsWith(`from-${name}`))).toEqual([]);
    }
  });

  it("is of one moment while others write, and never holds them up", async () => {
    const own = join(folder, "busy");
    const database = openDatabase(join(own, "silhouette.sqlite"));
    openSiteIdentity(own, database);
    await makeBrightCohort(database, own, { patients: 30, framePixels: 64, seed: 2 });
    // Two rows that always change together, by another process.
    database.exec("CREATE TABLE pair (a INTEGER, b INTEGER); INSERT INTO pair VALUES (0, 0)");
    database.exec(
      "CREATE TABLE padding AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, randomblob(800) AS b FROM n",
    );
    const writer = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, "../../src/main/store/database.ts"))};
         const d = openDatabase(${JSON.stringify(database.name)});
         const t = d.transaction(() => { d.exec("UPDATE pair SET a = a + 1"); d.exec("UPDATE pair SET b = b + 1"); });
         let longest = 0;
         process.on("SIGTERM", () => { console.log(longest); process.exit(0); });
         (function next() { const s = performance.now(); t.immediate(); longest = Math.max(longest, performance.now() - s); setTimeout(next, 1); })();`,
      ],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_NO_WARNINGS: "1" } },
    );
    let said = "";
    writer.stdout.on("data", (text: Buffer) => (said += text.toString()));
    const count = (): number => database.prepare("SELECT a FROM pair").pluck().get() as number;
    while (count() < 5) await sleep(20);
    const file = join(folder, "busy.tar");
    const key = { kind: "absent" } as const;
    await writeBackup({ database, dataFolder: own, file, key, appVersion: "test" });
    writer.kill("SIGTERM");
    await new Promise((resolve) => writer.once("close", resolve));
    database.close();
    const target = join(folder, "busy-restored");
    await restoreBackup({ file, dataFolder: target, passphrase: null });
    const restored = openDatabase(join(target, "silhouette.sqlite"));
    const { a, b } = restored.prepare("SELECT a, b FROM pair").get() as { a: number; b: number };
    restored.close();
    expect(a).toBeGreaterThanOrEqual(5);
    expect(b).toBe(a);
    expect(Number(said)).toBeLessThan(5_000);
  });

  it("killed at any moment leaves no file under its name, and the next one cleans up", async () => {
    const script = join(import.meta.dirname, "../../src/main/cli/main.ts");
    for (const milliseconds of [600, 900, 1200]) {
      const file = join(folder, `killed-${milliseconds}.tar`);
      const child = fork(script, ["backup", file, "--data", data], {
        execArgv: [],
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      });
      // Listened for from the beginning: a quick machine is done before the signal comes.
      const closed = once(child, "close");
      await sleep(milliseconds);
      child.kill("SIGKILL");
      await closed;
      if (!existsSync(file)) continue;
      // It was done before the signal came: then it must be whole.
      const target = join(folder, `from-killed-${milliseconds}`);
      await restoreBackup({ file, dataFolder: target, passphrase: null });
    }
    await runJson("backup", join(folder, "after.tar"), "--data", data);
    expect(readdirSync(data).filter((name) => name.startsWith("backup-in-work"))).toEqual([]);
  });

  it("into the data folder itself is refused", async () => {
    const result = await runCli(["backup", join(data, "inside.tar"), "--data", data]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/inside the data folder/);
  });
});

describe("a sealed key", () => {
  it("opens with its passphrase only, and not once a bit has changed", () => {
    const key = Buffer.alloc(32, 7);
    const sealed = sealKey(key, "a long enough passphrase");
    expect(openKey(sealed, "a long enough passphrase")).toEqual(key);
    expect(() => openKey(sealed, "a long enough passphrasE")).toThrow(/passphrase/);
    sealed[sealed.length - 1] = sealed[sealed.length - 1]! ^ 1;
    expect(() => openKey(sealed, "a long enough passphrase")).toThrow(/passphrase/);
    expect(() => sealKey(key, "short")).toThrow(/at least 12/);
  });
});
