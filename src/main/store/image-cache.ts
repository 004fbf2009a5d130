import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { UserError } from "../../shared/errors.ts";
import { diskIsFull } from "./database.ts";
import { syncFolder } from "./identity.ts";

/**
 * The image cache: shards of fixed-size 8-bit frames, one after the other and nothing else. A
 * shard belongs to one importing job and only grows. A frame exists for readers once a row of the
 * store names its shard and position; what a killed job left behind is never read.
 */
const folderName = "images";
/** A new shard is begun beyond this. */
const shardLimitBytes = 1024 * 1024 * 1024;
/** Every system takes as many pieces in one call. */
const mostFramesAtOnce = 256;

export function imageCacheFolder(dataFolder: string): string {
  return join(dataFolder, folderName);
}

/** Where a frame stands, as the store keeps it. */
export interface FrameLocation {
  /** File name in the image cache's folder. */
  readonly shard: string;
  /** Counted in frames from the start of the shard. */
  readonly position: number;
  /** CRC-32 of the frame; checked where given. */
  readonly checksum?: number;
}

/** Appends the frames of one job. */
export class FrameWriter {
  readonly #folder: string;
  readonly #frameBytes: number;
  readonly #shardFrames: number;
  #handle: FileHandle | null = null;
  #shard = "";
  #written = 0;
  #pending: Uint8Array[] = [];

  /** @param shardFrames frames after which a new shard is begun. */
  constructor(
    dataFolder: string,
    framePixels: number,
    shardFrames = Math.max(1, Math.floor(shardLimitBytes / framePixels ** 2)),
  ) {
    this.#folder = imageCacheFolder(dataFolder);
    this.#frameBytes = framePixels ** 2;
    this.#shardFrames = shardFrames;
  }

  /**
   * Writes frames at the end of the shard and waits until they are on the disk. Their rows may be
   * committed from then on.
   *
   * @returns the location of each frame, in order.
   * @throws UserError "resource" where the disk is full; nothing of the batch counts then.
   */
  async append(frames: readonly Uint8Array[]): Promise<readonly Required<FrameLocation>[]> {
    const locations: Required<FrameLocation>[] = [];
    for (const frame of frames) {
      if (frame.length !== this.#frameBytes) {
        throw new Error(`A frame has ${frame.length} bytes instead of ${this.#frameBytes}.`);
      }
      if (this.#handle === null || this.#written + this.#pending.length >= this.#shardFrames) {
        await this.#flush();
        await this.#begin();
      }
      locations.push({
        shard: this.#shard,
        position: this.#written + this.#pending.length,
        checksum: crc32(frame),
      });
      this.#pending.push(frame);
    }
    await this.#flush();
    return locations;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #begin(): Promise<void> {
    await this.close();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#shard = `${Date.now().toString(36)}-${randomBytes(6).toString("hex")}.frames`;
    try {
      this.#handle = await open(join(this.#folder, this.#shard), "wx", 0o600);
    } catch (thrown) {
      throw writeFailure(thrown, this.#folder);
    }
    this.#written = 0;
    syncFolder(this.#folder);
  }

  async #flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (this.#handle === null || pending.length === 0) return;
    try {
      let left: Uint8Array[] = pending;
      let at = this.#written * this.#frameBytes;
      while (left.length > 0) {
        const { bytesWritten } = await this.#handle.writev(left.slice(0, mostFramesAtOnce), at);
        at += bytesWritten;
        left = withoutFirst(left, bytesWritten);
      }
      await this.#handle.datasync();
    } catch (thrown) {
      throw writeFailure(thrown, this.#folder);
    }
    this.#written += pending.length;
  }
}

/** What is left of frames whose first bytes have been written. */
function withoutFirst(frames: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let whole = 0;
  let cut = bytes;
  for (; whole < frames.length && cut >= (frames[whole]?.length ?? 0); whole++) {
    cut -= frames[whole]?.length ?? 0;
  }
  return frames.slice(whole).map((frame, index) => (index === 0 ? frame.subarray(cut) : frame));
}

function writeFailure(thrown: unknown, folder: string): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
  if (code !== "ENOSPC" && code !== "EDQUOT") return thrown;
  return diskIsFull(folder, thrown);
}

/** Reads frames by position. One reader may serve a whole run; it keeps its shards open. */
export class FrameReader {
  readonly #folder: string;
  readonly #frameBytes: number;
  readonly #handles = new Map<string, number>();

  constructor(dataFolder: string, framePixels: number) {
    this.#folder = imageCacheFolder(dataFolder);
    this.#frameBytes = framePixels ** 2;
  }

  /**
   * @param out where the frames go, if memory is to be reused: locations x frame bytes.
   * @returns the frames one after the other, in the order of the locations.
   * @throws UserError "resource" where a frame is missing or damaged.
   */
  read(
    locations: readonly FrameLocation[],
    out: Uint8Array = new Uint8Array(locations.length * this.#frameBytes),
  ): Uint8Array {
    if (out.length < locations.length * this.#frameBytes) {
      throw new Error("The memory for the frames is too small.");
    }
    let offset = 0;
    for (const { shard, position, checksum } of locations) {
      const count = readSync(
        this.#open(shard),
        out,
        offset,
        this.#frameBytes,
        position * this.#frameBytes,
      );
      const end = offset + this.#frameBytes;
      if (count !== this.#frameBytes) throw damaged(shard, position, "ends early");
      if (checksum !== undefined && crc32(out.subarray(offset, end)) !== checksum) {
        throw damaged(shard, position, "has changed");
      }
      offset = end;
    }
    return out;
  }

  close(): void {
    for (const handle of this.#handles.values()) closeSync(handle);
    this.#handles.clear();
  }

  #open(shard: string): number {
    const present = this.#handles.get(shard);
    if (present !== undefined) return present;
    if (!/^[\w-]+\.frames$/.test(shard)) throw new Error("Not the name of a shard.");
    let handle: number;
    try {
      handle = openSync(join(this.#folder, shard), "r");
    } catch (thrown) {
      throw new UserError(
        "resource",
        `The image cache lacks the file ${shard} in ${this.#folder}. Restore the data folder ` +
          `from a backup, or import the films again into a new cohort.`,
        { cause: thrown },
      );
    }
    this.#handles.set(shard, handle);
    return handle;
  }
}

function damaged(shard: string, position: number, how: string): UserError {
  return new UserError(
    "resource",
    `The image cache is damaged: frame ${position} of ${shard} ${how}. Check the disk and ` +
      `restore the data folder from a backup.`,
  );
}
