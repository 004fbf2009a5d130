import { closeSync, existsSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { imageCacheFolder } from "./image-cache.ts";
import type { Database } from "./database.ts";

/**
 * Overwrites frames on the disk that no row names any more, such as those that showed a name
 * before it was blackened. What a killed process left is done the next time. Frames of a cohort
 * with a run under way wait, since the run still reads them.
 *
 * @returns how many were overwritten.
 */
export function eraseReplacedFrames(database: Database, dataFolder: string): number {
  const due = database
    .prepare(
      `SELECT shard, position, bytes FROM frame_erasure WHERE NOT EXISTS (
         SELECT 1 FROM run WHERE run.cohort_id = frame_erasure.cohort_id
           AND run.state IN ('queued', 'running'))`,
    )
    .all() as { readonly shard: string; readonly position: number; readonly bytes: number }[];
  const done = database.prepare("DELETE FROM frame_erasure WHERE shard = ? AND position = ?");
  for (const { shard, position, bytes } of due) {
    const file = join(imageCacheFolder(dataFolder), shard);
    if (existsSync(file)) {
      const handle = openSync(file, "r+");
      try {
        writeSync(handle, Buffer.alloc(bytes), 0, bytes, position * bytes);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    }
    done.run(shard, position);
  }
  return due.length;
}
