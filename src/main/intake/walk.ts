import { open, readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
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
    }
  | { readonly kind: "failure"; readonly path: string; readonly found: string };

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
 * directly is always a candidate; inside folders, PNG and JPEG files are candidates too, and files
 * that are plainly something else (tables, texts) are passed over unless their content is DICOM.
 */
export async function* walk(
  roots: readonly string[],
  options: WalkOptions = {},
): AsyncGenerator<WalkEntry, void, undefined> {
  const entered = new Set<string>();
  for (const root of roots) {
    const status = await statusOf(root);
    if (typeof status === "string") yield { kind: "failure", path: root, found: status };
    else if (status.isDirectory()) yield* walkFolder(root, entered, options);
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
      yield { kind: "failure", path: folder, found: status };
      continue;
    }
    const identity = `${status.dev}:${status.ino}`;
    if (entered.has(identity)) continue;
    entered.add(identity);
    let entries;
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (thrown) {
      yield { kind: "failure", path: folder, found: folderFailure(thrown) };
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
      const foreign = isForeignName(entry.name);
      if (options.namesOnly === true && entry.isFile()) {
        if (!foreign || isPictureName(entry.name)) {
          const nothing = { sizeBytes: 0, modifiedMilliseconds: 0, picture: false };
          yield { kind: "file", path, ...nothing };
        }
        continue;
      }
      const target = await statusOf(path);
      if (typeof target === "string") {
        yield { kind: "failure", path, found: target };
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
  };
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
  if (basename(path).toLowerCase() === "dicomdir") return null;
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
