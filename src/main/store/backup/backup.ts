import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync, rmSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { messageOf, UserError } from "../../../shared/errors.ts";
import type { Database } from "../database.ts";
import { now } from "../database.ts";
import { siteKeyFileName, syncFolder } from "../identity.ts";
import { manifestName, type BackupManifest } from "./manifest.ts";
import { sealKey } from "./sealed-key.ts";
import { takeSnapshot, type SnapshotFile } from "./snapshot.ts";

/** What becomes of the site key: left out, encrypted, or as it is. */
export type KeyChoice =
  | { readonly kind: "absent" }
  | { readonly kind: "sealed"; readonly passphrase: string }
  | { readonly kind: "plain" };

export interface BackupOptions {
  readonly database: Database;
  readonly dataFolder: string;
  /** The archive to write: one tar file. */
  readonly file: string;
  readonly key: KeyChoice;
  readonly appVersion: string;
  readonly signal?: AbortSignal;
  /** Bytes written, of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface BackupResult {
  readonly file: string;
  readonly bytes: number;
  readonly files: number;
  readonly sha256: string;
  readonly createdAt: string;
  readonly siteKey: BackupManifest["siteKey"];
}

export const sealedKeyName = `${siteKeyFileName}.sealed`;

/**
 * Writes the data folder into one tar archive, whole or not at all, while it is in use: the store
 * as of one moment, the frames and run files that its rows name, and last a manifest with the
 * SHA-256 of each. Source films, phantoms and logs are not in it.
 *
 * @throws UserError "input" for a place inside the data folder or a passphrase that is too short,
 *   "resource" where the file cannot be written. Nothing is left then.
 */
export async function writeBackup(options: BackupOptions): Promise<BackupResult> {
  const { database, dataFolder, file, signal } = options;
  refuseInside(dataFolder, file);
  const keyEntry = keyEntryOf(options);
  const createdAt = now();
  const snapshot = await takeSnapshot(database, dataFolder);
  const part = `${file}.part`;
  const archive = pack();
  try {
    const whole = createHash("sha256");
    const written = writeTo(part, archive, whole);
    const broken = new AbortController();
    written.catch((error: unknown) => {
      broken.abort(error);
    });
    const contents = {
      options,
      snapshot: snapshot.files,
      keyEntry,
      createdAt,
      broken: broken.signal,
    };
    const [bytes, manifest] = await Promise.all([written, fill(archive, contents)]);
    signal?.throwIfAborted();
    await rename(part, file);
    syncFolder(dirname(file));
    return {
      file,
      bytes,
      files: manifest.files.length,
      sha256: whole.digest("hex"),
      createdAt,
      siteKey: manifest.siteKey,
    };
  } catch (thrown) {
    archive.destroy(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    rmSync(part, { force: true });
    if (thrown instanceof UserError || signal?.aborted === true) throw thrown;
    throw new UserError(
      "resource",
      `The backup ${file} could not be written: ${messageOf(thrown)}. Check the disk, or choose ` +
        "another place.",
      { cause: thrown },
    );
  } finally {
    snapshot.remove();
  }
}

function refuseInside(dataFolder: string, file: string): void {
  const path = relative(resolve(dataFolder), resolve(file));
  if (path === "" || path.startsWith("..") || resolve(path) === path) return;
  throw new UserError(
    "input",
    `${file} lies inside the data folder, which a backup is to survive. Choose another disk.`,
  );
}

function keyEntryOf({ dataFolder, key }: BackupOptions): { name: string; bytes: Buffer } | null {
  if (key.kind === "absent") return null;
  const bytes = readFileSync(join(dataFolder, siteKeyFileName));
  return key.kind === "plain"
    ? { name: siteKeyFileName, bytes }
    : { name: sealedKeyName, bytes: sealKey(bytes, key.passphrase) };
}

/** Everything of an archive, in order. */
interface Contents {
  readonly options: BackupOptions;
  readonly snapshot: readonly SnapshotFile[];
  readonly keyEntry: { readonly name: string; readonly bytes: Buffer } | null;
  readonly createdAt: string;
  /** Aborted once the archive can no longer be written. */
  readonly broken: AbortSignal;
}

async function fill(archive: Pack, contents: Contents): Promise<BackupManifest> {
  const { options, snapshot, keyEntry, createdAt } = contents;
  const sizes = snapshot.map(({ path, bytes }) => bytes ?? statSync(path).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const files: { name: string; bytes: number; sha256: string }[] = [];
  let done = 0;
  for (const [index, { name, path }] of snapshot.entries()) {
    const size = sizes[index] ?? 0;
    const sha256 = await addFile(archive, name, path, size, contents.broken, (count) => {
      done += count;
      options.onProgress?.(done, total);
      options.signal?.throwIfAborted();
    });
    files.push({ name, bytes: size, sha256 });
  }
  if (keyEntry !== null) {
    const { name, bytes } = keyEntry;
    archive.entry({ name, size: bytes.length, mode: 0o600 }, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    files.push({ name, bytes: bytes.length, sha256 });
  }
  const manifest: BackupManifest = {
    format: "silhouette-backup",
    version: 1,
    createdAt,
    appVersion: options.appVersion,
    siteKey: options.key.kind,
    files,
  };
  archive.entry({ name: manifestName }, JSON.stringify(manifest, null, 1));
  archive.finalize();
  return manifest;
}

async function addFile(
  archive: Pack,
  name: string,
  path: string,
  size: number,
  broken: AbortSignal,
  onBytes: (count: number) => void,
): Promise<string> {
  const hash = createHash("sha256");
  const entry = archive.entry({ name, size, mode: 0o600 });
  // Told of a failure of the disk by what is awaited.
  entry.on("error", () => undefined);
  let read = 0;
  // An empty range cannot be asked for.
  const source =
    size === 0 ? [] : createReadStream(path, { end: size - 1, highWaterMark: 1 << 20 });
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    read += chunk.length;
    if (!entry.write(chunk)) await once(entry, "drain", { signal: broken });
    onBytes(chunk.length);
  }
  if (read !== size) throw new Error(`${basename(path)} ends early`);
  entry.end(null);
  return hash.digest("hex");
}

/** Writes the archive's stream to a file and onto the disk. @returns its size */
async function writeTo(
  file: string,
  archive: Pack,
  whole: ReturnType<typeof createHash>,
): Promise<number> {
  let bytes = 0;
  await pipeline(
    archive as unknown as AsyncIterable<Buffer>,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        whole.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(file, { mode: 0o600 }),
  );
  await syncFile(file);
  return bytes;
}

/** Waits until a file's content is on the disk. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
