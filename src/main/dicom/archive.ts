import { closeSync, openSync, readSync, statSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { crc32, inflateRawSync } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { DicomError } from "./errors.ts";
import { fileFailure, type FileBuffer } from "./file-buffer.ts";

/** Where a file stands inside a zip archive (APPNOTE 6.3.10, sections 4.3.7 and 4.3.12). */
export interface ArchiveMember {
  /** With forward slashes. */
  readonly name: string;
  /** Of the local header, from the beginning of the archive. */
  readonly offset: number;
  readonly storedBytes: number;
  readonly bytes: number;
  /** 0: as it is; 8: deflated. */
  readonly method: 0 | 8;
  readonly crc: number;
}

/** A member that cannot be read, with the plain reason. */
export interface RefusedMember {
  readonly name: string;
  readonly found: string;
}

/** No single film is larger; a few kilobytes can inflate to gigabytes. */
const memberLimitBytes = 1024 * 1024 * 1024;
const localHeaderBytes = 30;
const localHeaderSignature = 0x04034b50;

export function isArchiveName(name: string): boolean {
  return /\.zip$/i.test(name);
}

/**
 * The files of a zip archive in the order of its directory, which is read in pieces, so that
 * 200,000 members need no memory. Nothing is unpacked.
 *
 * @throws DicomError "archive" where it is no zip archive, is cut off, or its members overlap (so
 * that a small file would unpack to a huge one).
 */
export async function* archiveMembers(
  path: string,
): AsyncGenerator<ArchiveMember | RefusedMember, void, undefined> {
  // Loaded where there is an archive only: decode workers start sooner.
  const { openPromise } = await import("yauzl");
  let archive: ZipFile;
  try {
    archive = await openPromise(path, { lazyEntries: true, autoClose: false });
  } catch (thrown) {
    throw archiveFailure(thrown);
  }
  let stored = 0;
  try {
    for await (const entry of archive.eachEntry()) {
      stored += entry.compressedSize;
      if (stored > archive.fileSize)
        throw new DicomError("archive", "The archive's files overlap.");
      if (!entry.fileName.endsWith("/")) yield memberOf(entry);
    }
  } catch (thrown) {
    throw archiveFailure(thrown);
  } finally {
    archive.close();
  }
}

function memberOf(entry: Entry): ArchiveMember | RefusedMember {
  const refused = (found: string): RefusedMember => ({ name: entry.fileName, found });
  const { compressionMethod: method } = entry;
  if (isArchiveName(entry.fileName)) return refused("It is an archive inside an archive.");
  if (entry.isEncrypted()) return refused("It is locked with a password.");
  if (method !== 0 && method !== 8) return refused("It is compressed in a way that is not read.");
  if (entry.uncompressedSize > memberLimitBytes) return refused("It is larger than 1 GB.");
  return {
    name: entry.fileName,
    offset: entry.relativeOffsetOfLocalHeader,
    storedBytes: entry.compressedSize,
    bytes: entry.uncompressedSize,
    method,
    crc: entry.crc32,
  };
}

/** The reader's own words can quote names from the archive, so they go no further. */
function archiveFailure(thrown: unknown): unknown {
  if (thrown instanceof DicomError) return thrown;
  const failure = fileFailure(thrown);
  if (failure instanceof DicomError) return failure;
  return new DicomError("archive", "The zip archive is damaged or cut off.", { cause: thrown });
}

/**
 * Reads one file of an archive. Never more than the directory says: its size and checksum must be
 * right.
 *
 * @throws DicomError "archive", "truncated", "vanished" or "unreadable".
 */
export function readMember(path: string, member: ArchiveMember): Buffer {
  const stored = storedBytes(path, member);
  let bytes: Buffer;
  try {
    bytes =
      member.method === 0 ? stored : inflateRawSync(stored, { maxOutputLength: member.bytes || 1 });
  } catch (thrown) {
    throw new DicomError("archive", "The file is damaged inside its archive.", { cause: thrown });
  }
  if (bytes.length !== member.bytes || crc32(bytes) !== member.crc >>> 0) {
    throw new DicomError("archive", "The file is damaged inside its archive.");
  }
  return bytes;
}

function storedBytes(path: string, { offset, storedBytes: length }: ArchiveMember): Buffer {
  let handle: number | null = null;
  try {
    handle = openSync(path, "r");
    const header = readAt(handle, offset, localHeaderBytes);
    if (header.readUInt32LE(0) !== localHeaderSignature) {
      throw new DicomError("archive", "The zip archive contradicts itself.");
    }
    const names = header.readUInt16LE(26) + header.readUInt16LE(28);
    return readAt(handle, offset + localHeaderBytes + names, length);
  } catch (thrown) {
    throw fileFailure(thrown);
  } finally {
    if (handle !== null) closeSync(handle);
  }
}

function readAt(handle: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const count = readSync(handle, bytes, read, length - read, position + read);
    if (count === 0) throw new DicomError("truncated", "The archive ends early.");
    read += count;
  }
  return bytes;
}

/**
 * The bytes of a film's original: of a file, or of a file inside an archive, whose path goes on
 * behind the archive's own ("films.zip/series/1.dcm").
 *
 * @throws DicomError where it cannot be read.
 */
export async function readOriginal(path: string, buffer: FileBuffer): Promise<Uint8Array> {
  const archive = archiveAbove(path);
  if (archive === null) return buffer.read(path);
  const name = relative(archive, path).split(sep).join("/");
  for await (const member of archiveMembers(archive)) {
    if (member.name !== name) continue;
    if ("found" in member) throw new DicomError("archive", member.found);
    return readMember(archive, member);
  }
  throw new DicomError("vanished", "The file is no longer in its archive.");
}

/** The archive that a path leads into; null where it leads into none. */
export function archiveAbove(path: string): string | null {
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
    const status = statSync(above, { throwIfNoEntry: false });
    if (status === undefined) continue;
    return status.isFile() && isArchiveName(above) ? above : null;
  }
  return null;
}
