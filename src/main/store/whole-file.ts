import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, UserError } from "../../shared/errors.ts";
import { syncFolder } from "./identity.ts";

/**
 * Writes a file so that it is there whole or not at all, also after a power cut: to a temporary
 * name, synchronised, renamed, and the folder synchronised.
 *
 * @param parts what the file holds, one behind the other
 * @param read called as soon as the parts may be changed, which is well before the end
 * @returns the SHA-256 of the file in hexadecimal
 */
export function writeAtomically(
  file: string,
  parts: Uint8Array | readonly Uint8Array[],
  read?: () => void,
): string {
  const temporary = `${file}.part`;
  const handle = openSync(temporary, "w", 0o600);
  const hash = createHash("sha256");
  try {
    for (const bytes of parts instanceof Uint8Array ? [parts] : parts) {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(handle, bytes, written);
      }
      hash.update(bytes);
    }
    read?.();
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
  return hash.digest("hex");
}

/**
 * The same for a file that a person has named.
 *
 * @throws UserError "resource" where it cannot be written; nothing is left then.
 */
export function writeNamedFile(file: string, content: Uint8Array | string): string {
  try {
    return writeAtomically(file, Buffer.from(content));
  } catch (thrown) {
    rmSync(`${file}.part`, { force: true });
    throw new UserError(
      "resource",
      `${file} cannot be written: ${messageOf(thrown)}. Choose another place.`,
      { cause: thrown },
    );
  }
}
