import type { LabelRow } from "./label-row.ts";

/** The parts of a path, whichever way its slashes lean. */
export function partsOf(path: string): string[] {
  return path.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
}

/** A file's name without the ending that a data set's own name of it may lack. */
export function stemOf(name: string): string {
  return name.replace(/\.(png|jpe?g|dcm|dicom)$/i, "");
}

/**
 * The outermost folder, where all rows share it and it can tell no patients apart: data sets name
 * themselves there ("CheXpert-v1.0-small/train/...").
 */
export function sharedFolder(rows: readonly LabelRow[]): string | null {
  const outermost = new Set(
    rows.flatMap(({ file }) => (file === null ? [] : [partsOf(file).slice(0, -1)[0] ?? ""])),
  );
  const patients = new Set(rows.map(({ patient }) => patient));
  const [only] = outermost;
  return outermost.size === 1 && patients.size > 1 && only !== "" ? (only ?? null) : null;
}

/** Whether the folders that a table gives are those of a file, from the innermost on. */
export function foldersFit(wanted: readonly string[], folders: readonly string[]): boolean {
  const start = folders.length - wanted.length;
  return start >= 0 && wanted.every((folder, index) => folders[start + index] === folder);
}
