import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import SQLite from "better-sqlite3";
import { extract } from "tar-stream";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { absentKeyFileName, siteKeyFileName, syncFolder } from "../identity.ts";
import { sealedKeyName, syncFile } from "./backup.ts";
import { backupManifestSchema, manifestName, type BackupManifest } from "./manifest.ts";
import { openKey } from "./sealed-key.ts";
import { isAlive } from "./snapshot.ts";

export interface RestoreOptions {
  readonly file: string;
  /** Must be empty, or not be there. */
  readonly dataFolder: string;
  /** Opens the site key of a backup that has it sealed; null leaves the key out. */
  readonly passphrase: string | null;
  readonly onProgress?: (bytes: number) => void;
}

export interface RestoreResult {
  readonly dataFolder: string;
  readonly files: number;
  readonly bytes: number;
  /** When the backup was made: what was spent since is in no ledger here. */
  readonly createdAt: string;
  readonly siteKey: "restored" | "absent";
}

/**
 * Restores a backup into an empty data folder: everything is written aside, checked against the
 * manifest's checksums, the store is checked, and only then does the folder get its name. Killed
 * at any moment it leaves no half data folder.
 *
 * @throws UserError "conflict" where the folder holds something, "input" where the archive is no
 *   backup, damaged or incomplete, or the passphrase is wrong.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  const { file } = options;
  const target = resolve(options.dataFolder);
  requireEmpty(target);
  if (!existsSync(file)) {
    throw new UserError("not-found", `There is no file ${file}. Check the path.`);
  }
  mkdirSync(dirname(target), { recursive: true });
  removeStale(target);
  const aside = `${target}.restoring-${process.pid}`;
  mkdirSync(aside, { mode: 0o700 });
  try {
    const { manifest, bytes } = await extractChecked(options, aside);
    const siteKey = placeKey(aside, manifest, options.passphrase);
    checkStore(join(aside, "silhouette.sqlite"));
    await markRestored(aside, manifest.createdAt);
    requireEmpty(target);
    if (existsSync(target)) rmdirSync(target);
    renameSync(aside, target);
    syncFolder(dirname(target));
    const { createdAt, files } = manifest;
    return { dataFolder: target, files: files.length, bytes, createdAt, siteKey };
  } catch (thrown) {
    rmSync(aside, { recursive: true, force: true });
    if (thrown instanceof UserError) throw thrown;
    throw new UserError("input", `${file} could not be restored: ${messageOf(thrown)}.`, {
      cause: thrown,
    });
  }
}

const restoredMark = "restored.json";

async function markRestored(folder: string, backupAt: string): Promise<void> {
  const file = join(folder, restoredMark);
  writeFileSync(file, `${JSON.stringify({ backupAt })}\n`, { mode: 0o600 });
  await syncFile(file);
}

/**
 * When the backup was made from which this folder was restored, until the ledgers have it: the mark
 * lies in the folder from the moment it gets its name. Null where there is none.
 */
export function restoredFrom(dataFolder: string): string | null {
  const file = join(dataFolder, restoredMark);
  if (!existsSync(file)) return null;
  const { backupAt } = JSON.parse(readFileSync(file, "utf8")) as { readonly backupAt: string };
  return backupAt;
}

/** Takes the mark away once the ledgers have it. */
export function forgetRestoration(dataFolder: string): void {
  rmSync(join(dataFolder, restoredMark), { force: true });
}

function requireEmpty(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw new UserError(
    "conflict",
    `The data folder ${folder} is not empty. A backup is restored into an empty folder only; ` +
      "choose another with --data.",
  );
}

/** Removes what a restoration that was killed left behind. */
function removeStale(target: string): void {
  const prefix = `${basename(target)}.restoring-`;
  for (const name of readdirSync(dirname(target))) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue;
    rmSync(join(dirname(target), name), { recursive: true, force: true });
  }
}

/** One file of the archive, as tar-stream gives it. */
type Entry = AsyncIterable<Buffer> & { readonly header: { readonly name: string } };

const fileNames = new RegExp(
  `^(silhouette\\.sqlite|images/[\\w-]+\\.frames|runs/[\\w-]+/[\\w.-]+|` +
    `${siteKeyFileName.replace(".", "\\.")}|${sealedKeyName.replaceAll(".", "\\.")})$`,
);

async function extractChecked(
  { file, onProgress }: RestoreOptions,
  folder: string,
): Promise<{ readonly manifest: BackupManifest; readonly bytes: number }> {
  const refuse = (reason: string): UserError =>
    new UserError("input", `${file} is not a whole backup: ${reason}. Use another copy of it.`);
  const found = new Map<string, { bytes: number; sha256: string }>();
  let manifestText: string | null = null;
  let total = 0;
  const reading = extract();
  const feeding = pipeline(
    createReadStream(file, { highWaterMark: 1 << 20 }),
    reading as unknown as NodeJS.WritableStream,
  );
  feeding.catch(() => undefined);
  try {
    for await (const entry of reading as unknown as AsyncIterable<Entry>) {
      const { name } = entry.header;
      if (manifestText !== null) throw refuse("something follows its manifest");
      if (name === manifestName) {
        manifestText = await textOf(entry);
        continue;
      }
      // Nothing that an archive says may lead outside the folder.
      if (!fileNames.test(name) || name.includes("..") || found.has(name)) {
        throw refuse(`it holds the unexpected entry ${JSON.stringify(name)}`);
      }
      const written = await writeEntry(entry, join(folder, name), (count) => {
        total += count;
        onProgress?.(total);
      });
      found.set(name, written);
    }
    await feeding;
  } catch (thrown) {
    if (thrown instanceof UserError) throw thrown;
    throw refuse(messageOf(thrown));
  }
  if (manifestText === null) throw refuse("its end is missing");
  const manifest = parseManifest(manifestText);
  if (manifest === null) throw refuse("its manifest cannot be read");
  for (const { name, bytes, sha256 } of manifest.files) {
    const written = found.get(name);
    if (written?.bytes !== bytes || written.sha256 !== sha256) {
      throw refuse(`the checksum of ${name} differs`);
    }
    found.delete(name);
  }
  const [stray] = found.keys();
  if (stray !== undefined) throw refuse(`its manifest does not name ${stray}`);
  return { manifest, bytes: total };
}

function parseManifest(text: string): BackupManifest | null {
  try {
    return backupManifestSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function textOf(entry: Entry): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function writeEntry(
  entry: Entry,
  path: string,
  onBytes: (count: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(
    entry,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        onBytes(chunk.length);
        yield chunk;
      }
    },
    createWriteStream(path, { mode: 0o600 }),
  );
  await syncFile(path);
  return { bytes, sha256: hash.digest("hex") };
}

/** Opens a sealed key, or notes that the folder is without one. */
function placeKey(
  folder: string,
  manifest: BackupManifest,
  passphrase: string | null,
): RestoreResult["siteKey"] {
  const sealed = join(folder, sealedKeyName);
  if (manifest.siteKey === "sealed" && passphrase !== null) {
    writeFileSync(join(folder, siteKeyFileName), openKey(readFileSync(sealed), passphrase), {
      mode: 0o600,
    });
    rmSync(sealed);
  }
  if (existsSync(join(folder, siteKeyFileName))) return "restored";
  writeFileSync(
    join(folder, absentKeyFileName),
    "This folder was restored from a backup without its site key. Training, evaluation and the " +
      `ledger work. To import films or labels, put the site's ${siteKeyFileName} here.\n`,
  );
  return "absent";
}

function checkStore(file: string): void {
  const database = new SQLite(file, { readonly: true, fileMustExist: true });
  try {
    const answer = database.pragma("integrity_check", { simple: true });
    if (answer !== "ok") {
      throw new UserError("input", `The store in the backup is damaged: ${String(answer)}.`);
    }
  } finally {
    database.close();
  }
}
