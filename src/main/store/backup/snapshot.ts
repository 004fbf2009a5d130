import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import SQLite from "better-sqlite3";
import { UserError } from "../../../shared/errors.ts";
import { transaction, type Database } from "../database.ts";
import { imageCacheFolder } from "../image-cache.ts";

/** A file of the backup: the first `bytes` of it count. */
export interface SnapshotFile {
  /** Path inside the data folder, with slashes. */
  readonly name: string;
  readonly path: string;
  /** Null for the whole file. */
  readonly bytes: number | null;
}

const stagingPrefix = "backup-in-work-";
const pagesAtOnce = 2048;

/**
 * A consistent picture of the data folder at one moment, while it is in use: the store, and the
 * files that its rows name.
 *
 * The moment is when a second connection begins to read, under the store's write lock: nothing is
 * committed meanwhile, so the checkpoints and weights that the rows name exist, and a link keeps
 * them even when the run deletes them a second later. Shards only grow, so their first bytes are
 * those of that moment whenever they are read.
 *
 * @returns the files, and what removes the staging folder again
 */
export async function takeSnapshot(
  database: Database,
  dataFolder: string,
): Promise<{ readonly files: readonly SnapshotFile[]; readonly remove: () => void }> {
  removeStale(dataFolder);
  const staging = join(dataFolder, `${stagingPrefix}${process.pid}`);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { mode: 0o700 });
  const remove = (): void => {
    rmSync(staging, { recursive: true, force: true });
  };
  const reader = new SQLite(database.name, { readonly: true, timeout: 10_000 });
  try {
    const runFiles = transaction(database, () => {
      reader.exec("BEGIN");
      reader.prepare("SELECT count(*) FROM cohort").get();
      return filesOfRuns(reader).map((name) => keep(dataFolder, staging, name));
    });
    const store = join(staging, "silhouette.sqlite");
    // The reader's transaction holds its picture still, so the copy never begins anew.
    await reader.backup(store, { progress: () => pagesAtOnce });
    return {
      files: [
        { name: "silhouette.sqlite", path: store, bytes: null },
        ...shardsOf(reader, dataFolder),
        ...runFiles.filter((file) => file !== null),
      ],
      remove,
    };
  } catch (thrown) {
    remove();
    throw thrown;
  } finally {
    reader.close();
  }
}

/** Weights and checkpoints that rows name, relative to the data folder. */
function filesOfRuns(reader: Database): string[] {
  return reader
    .prepare(
      `SELECT weights_file FROM run WHERE weights_file IS NOT NULL
       UNION SELECT 'runs/' || run_id || '/' || file FROM checkpoint`,
    )
    .pluck()
    .all() as string[];
}

/**
 * Links a file into the staging folder; null for one that is no longer there, such as the file of
 * a checkpoint that newer ones have replaced.
 */
function keep(dataFolder: string, staging: string, name: string): SnapshotFile | null {
  const from = join(dataFolder, name);
  if (!existsSync(from)) return null;
  const path = join(staging, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    linkSync(from, path);
  } catch {
    // Some file systems have no links.
    copyFileSync(from, path);
  }
  return { name, path, bytes: null };
}

function shardsOf(reader: Database, dataFolder: string): SnapshotFile[] {
  const shards = reader
    .prepare(
      `SELECT frame_shard AS shard, max((frame_position + 1) * frame_bytes) AS bytes
       FROM image GROUP BY frame_shard ORDER BY frame_shard`,
    )
    .all() as { shard: string; bytes: number }[];
  return shards.map(({ shard, bytes }) => {
    const path = join(imageCacheFolder(dataFolder), shard);
    if (!existsSync(path)) {
      throw new UserError(
        "resource",
        `The image cache lacks the file ${shard}, so a backup would not be whole. Check the disk.`,
      );
    }
    return { name: `images/${shard}`, path, bytes };
  });
}

/** Removes what a backup that was killed left behind. */
function removeStale(dataFolder: string): void {
  for (const name of readdirSync(dataFolder)) {
    if (!name.startsWith(stagingPrefix)) continue;
    const owner = Number(name.slice(stagingPrefix.length));
    if (owner !== process.pid && isAlive(owner)) continue;
    rmSync(join(dataFolder, name), { recursive: true, force: true });
  }
}

export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
