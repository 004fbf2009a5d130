import { decodeText } from "./character-set.ts";
import { DicomError } from "./errors.ts";
import { parseDataSet } from "./parse.ts";

/** Directories of a whole hospital archive stay far below this. */
const recordLimit = 1_000_000;

export function isDirectoryName(name: string): boolean {
  return name.toLowerCase() === "dicomdir";
}

/**
 * The files that a DICOMDIR lists, each as the parts of its path from the DICOMDIR's folder
 * (PS3.3 F.3.2.2, Referenced File ID). References that lead out of the folder are left out.
 *
 * @throws DicomError where it cannot be read as a DICOMDIR.
 */
export function directoryReferences(bytes: Uint8Array): readonly (readonly string[])[] {
  const records = parseDataSet(bytes, null).elements.x00041220?.items;
  if (records === undefined) {
    throw new DicomError("damaged-header", "The DICOMDIR has no directory records.");
  }
  return records.slice(0, recordLimit).flatMap(({ dataSet }) => {
    const element = dataSet?.elements.x00041500;
    if (dataSet === undefined || element === undefined || element.length === 0) return [];
    const { dataOffset, length } = element;
    const value = dataSet.byteArray.subarray(dataOffset, dataOffset + length);
    const parts = decodeText(value, [])
      .split("\\")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    const inside = parts.every((part) => part !== ".." && part !== "." && !/[/\0]/.test(part));
    return inside && parts.length > 0 ? [parts] : [];
  });
}
