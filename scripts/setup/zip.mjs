import { chmod, mkdir, open, writeFile } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";

const inflate = promisify(inflateRaw);

const endOfDirectorySignature = 0x06054b50;
const directoryEntrySignature = 0x02014b50;
const endOfDirectoryBytes = 22;
const longestCommentBytes = 0xffff;

/**
 * Unpacks those entries of a zip archive (below 4 GiB, stored or deflated) that `rename` gives a
 * path, with their permissions.
 *
 * @param {string} file the archive
 * @param {string} folder where the entries go
 * @param {(path: string) => string | undefined} rename the path of an entry inside `folder`, or
 *   undefined to leave it out
 */
export async function unpackZip(file, folder, rename) {
  const archive = await open(file, "r");
  try {
    for (const entry of await readDirectory(archive)) {
      const path = rename(entry.path);
      if (path === undefined || path === "" || path.endsWith("/")) continue;
      const target = resolve(folder, path);
      if (!target.startsWith(resolve(folder) + sep)) {
        throw new Error(`The archive ${file} has an entry outside its folder: ${entry.path}`);
      }
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, await readEntry(archive, entry));
      await chmod(target, entry.mode & 0o755 || 0o644);
    }
  } finally {
    await archive.close();
  }
}

async function readDirectory(archive) {
  const { size } = await archive.stat();
  const tail = await readBytes(
    archive,
    Math.max(0, size - endOfDirectoryBytes - longestCommentBytes),
    size,
  );
  let end = tail.length - endOfDirectoryBytes;
  while (end >= 0 && tail.readUInt32LE(end) !== endOfDirectorySignature) end -= 1;
  if (end < 0) throw new Error("This is no zip archive: it has no directory at its end.");
  const directoryBytes = tail.readUInt32LE(end + 12);
  const directoryOffset = tail.readUInt32LE(end + 16);
  const directory = await readBytes(archive, directoryOffset, directoryOffset + directoryBytes);

  const entries = [];
  let at = 0;
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === directoryEntrySignature) {
    const pathBytes = directory.readUInt16LE(at + 28);
    entries.push({
      path: directory.toString("utf8", at + 46, at + 46 + pathBytes),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      mode: directory.readUInt32LE(at + 38) >>> 16,
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + pathBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function readEntry(archive, entry) {
  const header = await readBytes(archive, entry.offset, entry.offset + 30);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = await readBytes(archive, start, start + entry.packedBytes);
  if (entry.method === 0) return packed;
  if (entry.method === 8) return inflate(packed);
  throw new Error(`The entry ${entry.path} is packed by method ${entry.method}, which is unknown.`);
}

async function readBytes(archive, from, to) {
  const bytes = Buffer.alloc(to - from);
  const { bytesRead } = await archive.read(bytes, 0, bytes.length, from);
  if (bytesRead !== bytes.length) throw new Error("The zip archive is cut short.");
  return bytes;
}
