import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { archiveMembers, isArchiveName, type ArchiveMember } from "../dicom/archive.ts";
import { directoryReferences, isDirectoryName } from "../dicom/dicomdir.ts";
import { DicomError, type RejectionCode } from "../dicom/errors.ts";
import { errorCode } from "../dicom/file-buffer.ts";
import { hasPrefix } from "../dicom/parse.ts";
import { rasterKind } from "../dicom/raster.ts";

/** What the walk meets: a file that may be a film, or a folder that it could not enter. */
export type WalkEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly sizeBytes: number;
      readonly modifiedMilliseconds: number;
      /** A PNG or JPEG: it says nothing of its patient. */
      readonly picture: boolean;
      /** Where the film stands inside an archive; null for a file of its own. */
      readonly inArchive: { readonly archive: string; readonly member: ArchiveMember } | null;
    }
  | {
      readonly kind: "failure";
      readonly path: string;
      readonly code: RejectionCode;
      readonly found: string;
    };

export interface WalkOptions {
  /** Only names are looked at: no sizes, no content. For counting ahead. */
  readonly namesOnly?: boolean;
  readonly signal?: AbortSignal;
  /** Told of each file passed over because it is plainly something else. */
  readonly onForeign?: () => void;
}

/**
 * Walks through files and folders, in the order of their names so that two imports of the same
 * folder agree. Symbolic links are followed, each folder is entered once. A path that is named
 * directly is always a candidate; zip archives are walked like folders, without unpacking them, and a
 * DICOMDIR tells which films are missing; inside folders, PNG and JPEG files are candidates too, and files
 * that are plainly something else (tables, texts) are passed over unless their content is DICOM.
 */
export async function* walk(
  roots: readonly string[],
  options: WalkOptions = {},
): AsyncGenerator<WalkEntry, void, undefined> {
  const entered = new Set<string>();
  for (const root of roots) {
    const status = await statusOf(root);
    if (typeof status === "string") yield failure(root, status);
    else if (status.isDirectory()) yield* walkFolder(root, entered, options);
    else if (isArchiveName(root)) yield* walkArchive(root, status, options);
    else if (isDirectoryName(basename(root))) yield* walkDirectory(root, { alone: true });
    else yield toFile(root, status, (await contentOf(root)) === "picture");
  }
}

async function* walkFolder(
  root: string,
  entered: Set<string>,
  options: WalkOptions,
): AsyncGenerator<WalkEntry, void, undefined> {
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (options.signal?.aborted === true) return;
    const status = await statusOf(folder);
    if (typeof status === "string") {
      yield failure(folder, status);
      continue;
    }
    const identity = `${status.dev}:${status.ino}`;
    if (entered.has(identity)) continue;
    entered.add(identity);
    let entries;
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (thrown) {
      yield failure(folder, folderFailure(thrown));
      continue;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const inside: string[] = [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        inside.push(path);
        continue;
      }
      if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      if (isArchiveName(entry.name) || isDirectoryName(entry.name)) {
        yield* walkListing(path, options);
        continue;
      }
      const foreign = isForeignName(entry.name);
      if (options.namesOnly === true && entry.isFile()) {
        if (!foreign || isPictureName(entry.name)) {
          const nothing = { sizeBytes: 0, modifiedMilliseconds: 0, picture: false };
          yield { kind: "file", path, ...nothing, inArchive: null };
        }
        continue;
      }
      const target = await statusOf(path);
      if (typeof target === "string") {
        yield failure(path, target);
      } else if (target.isDirectory()) {
        inside.push(path);
      } else if (target.isFile()) {
        const content = foreign ? await contentOf(path) : "dicom";
        const picture = content === "picture" && isPictureName(entry.name);
        if (content === "dicom" || picture) yield toFile(path, target, picture);
        else options.onForeign?.();
      }
    }
    folders.push(...inside.reverse());
  }
}

type Status = Awaited<ReturnType<typeof stat>>;

function toFile(path: string, status: Status, picture: boolean): WalkEntry {
  return {
    kind: "file",
    path,
    sizeBytes: Number(status.size),
    modifiedMilliseconds: Number(status.mtimeMs),
    picture,
    inArchive: null,
  };
}

function failure(path: string, found: string, code: RejectionCode = "unreadable"): WalkEntry {
  return { kind: "failure", path, code, found };
}

/** A file of a folder that lists others: an archive, or a DICOMDIR. */
async function* walkListing(
  path: string,
  options: WalkOptions,
): AsyncGenerator<WalkEntry, void, undefined> {
  const status = await statusOf(path);
  if (typeof status === "string") yield failure(path, status);
  else if (!status.isFile()) yield failure(path, "It has a file's name, but is none.");
  else if (isArchiveName(path)) yield* walkArchive(path, status, options);
  else if (options.namesOnly !== true) yield* walkDirectory(path, { alone: false });
}

/** The films of an archive, by their names; archives inside archives are refused. */
async function* walkArchive(
  archive: string,
  status: Status,
  options: WalkOptions,
): AsyncGenerator<WalkEntry, void, undefined> {
  try {
    for await (const member of archiveMembers(archive)) {
      if (options.signal?.aborted === true) return;
      const path = join(archive, member.name);
      const name = basename(member.name);
      if ("found" in member) {
        if (isArchiveName(name) || !isForeignName(name))
          yield failure(path, member.found, "archive");
        continue;
      }
      const picture = isPictureName(name);
      if (isForeignName(name) && !picture) {
        options.onForeign?.();
        continue;
      }
      yield {
        kind: "file",
        path,
        sizeBytes: member.bytes,
        modifiedMilliseconds: Number(status.mtimeMs),
        picture,
        inArchive: { archive, member },
      };
    }
  } catch (thrown) {
    if (!(thrown instanceof DicomError)) throw thrown;
    yield failure(archive, thrown.found, thrown.code);
  }
}

/**
 * What a DICOMDIR lists. Those of its films that are there are found by walking its folder too,
 * so they are only given where it stands alone; those that are missing are told in any case.
 */
async function* walkDirectory(
  path: string,
  { alone }: { readonly alone: boolean },
): AsyncGenerator<WalkEntry, void, undefined> {
  let references: ReturnType<typeof directoryReferences>;
  try {
    references = directoryReferences(await readFile(path));
  } catch (thrown) {
    if (!(thrown instanceof DicomError) && errorCode(thrown) === null) throw thrown;
    // In a folder the films are found without it.
    if (alone) yield failure(path, "The DICOMDIR cannot be read.", "damaged-header");
    return;
  }
  for (const parts of references) {
    const found = await firstThere(dirname(path), parts);
    if (found === null) {
      const missing = join(dirname(path), ...parts);
      yield failure(missing, "The DICOMDIR lists this film, but it is not there.", "vanished");
    } else if (alone) {
      yield toFile(found.path, found.status, false);
    }
  }
}

/** File systems that fold letters show the names of a DICOMDIR in lower case. */
async function firstThere(folder: string, parts: readonly string[]) {
  for (const named of [parts, parts.map((part) => part.toLowerCase())]) {
    const path = join(folder, ...named);
    const status = await statusOf(path);
    if (typeof status !== "string" && status.isFile()) return { path, status };
  }
  return null;
}

/** The status of a path, or the plain reason why it cannot be had. */
async function statusOf(path: string): Promise<Status | string> {
  try {
    return await stat(path);
  } catch (thrown) {
    return folderFailure(thrown);
  }
}

function folderFailure(thrown: unknown): string {
  const code = errorCode(thrown);
  if (code === null) throw thrown;
  if (code === "ENOENT") return "It is no longer there, or a link leads nowhere.";
  if (code === "EACCES" || code === "EPERM") return "It may not be read by this user.";
  if (code === "ELOOP") return "It is a link that leads back to itself.";
  return `It cannot be read (${code}).`;
}

const foreignNames = new Set(["dicomdir", "thumbs.db", "desktop.ini", "license", "readme"]);
const foreignExtensions = new Set(
  (
    "csv tsv txt md json jsonl xml html htm pdf png jpg jpeg gif bmp tif tiff webp svg xls xlsx " +
    "ods doc docx rtf ini log db sqlite zip gz tar tgz 7z rar bz2 xz exe dll so py ipynb js css " +
    "ico inf lnk url mp4 avi npy npz h5 pt sha256 md5 yaml yml toml bak tmp part"
  ).split(" "),
);

/** Whether a name says plainly that the file is no film. */
export function isForeignName(name: string): boolean {
  const lower = name.toLowerCase();
  if (name.startsWith(".") || foreignNames.has(lower)) return true;
  return foreignExtensions.has(extname(lower).slice(1));
}

function isPictureName(name: string): boolean {
  return /\.(png|jpe?g)$/i.test(name) && !name.startsWith(".");
}

/** What a file's first bytes say it is; null for anything else and where it cannot be read. */
async function contentOf(path: string): Promise<"dicom" | "picture" | null> {
  try {
    const handle = await open(path, "r");
    try {
      const head = Buffer.alloc(132);
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      const read = head.subarray(0, bytesRead);
      if (hasPrefix(read)) return "dicom";
      return rasterKind(read) === null ? null : "picture";
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    // Not to be read and plainly no film by its name: nothing is lost.
    if (errorCode(thrown) === null) throw thrown;
    return null;
  }
}
