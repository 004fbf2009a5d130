import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DicomError } from "./errors.ts";
import { PixelKernel } from "./kernel/kernel.ts";

/** No single film is larger. */
const fileLimitBytes = 1024 * 1024 * 1024;
const growthBytes = 1024 * 1024;

/**
 * Reads files one after the other into the memory of a pixel kernel, so that uncompressed pixels
 * are worked on where they are read: allocation and copies, not arithmetic, are the cost of intake.
 * What `read` returns is valid until the next call.
 */
export class FileBuffer {
  readonly #kernel = new PixelKernel();
  #memory = this.#kernel.pixelBytes(growthBytes);

  /**
   * Reads a whole file; or, where `accept` is given, first its beginning, and the rest only if
   * `accept` does not throw on that.
   *
   * @throws DicomError "vanished", "unreadable" or "too-large".
   */
  read(path: string, accept?: { readonly firstBytes: number; check(head: Uint8Array): void }) {
    let handle: number | null = null;
    try {
      handle = openSync(path, "r");
      const status = fstatSync(handle);
      if (!status.isFile()) throw new DicomError("unreadable", "The path is not a file.");
      const size = status.size;
      if (size > fileLimitBytes) {
        throw new DicomError("too-large", "The file is larger than 1 GB.");
      }
      this.#reserve(size);
      let present = 0;
      if (accept !== undefined && size > accept.firstBytes) {
        present = this.#fill(handle, 0, accept.firstBytes);
        accept.check(this.#memory.subarray(0, present));
      }
      present = this.#fill(handle, present, size);
      return this.#memory.subarray(0, present);
    } catch (thrown) {
      throw fileFailure(thrown);
    } finally {
      if (handle !== null) closeSync(handle);
    }
  }

  #fill(handle: number, from: number, to: number): number {
    let position = from;
    while (position < to) {
      const count = readSync(handle, this.#memory, position, to - position, position);
      if (count === 0) break;
      position += count;
    }
    return position;
  }

  #reserve(bytes: number): void {
    if (this.#memory.length >= bytes) return;
    this.#memory = this.#kernel.pixelBytes(Math.ceil(bytes / growthBytes) * growthBytes);
  }
}

/** Turns a failure of the file system into a reason without its path. */
export function fileFailure(thrown: unknown): unknown {
  if (thrown instanceof DicomError) return thrown;
  const code = errorCode(thrown);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new DicomError("vanished", "The file is no longer there.");
  }
  if (code === "EACCES" || code === "EPERM") {
    return new DicomError("unreadable", "The file may not be read by this user.");
  }
  if (code !== null) return new DicomError("unreadable", `The file cannot be read (${code}).`);
  return thrown;
}

/** The code of a system error ("ENOENT"), or null for anything else. */
export function errorCode(thrown: unknown): string | null {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return null;
  return typeof thrown.code === "string" && "syscall" in thrown ? thrown.code : null;
}
