import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "csv-parse/sync";
import { gunzipSync } from "node:zlib";
import { messageOf, UserError } from "../../shared/errors.ts";

/** A table of labels as read from a file: every cell is text. */
export interface LabelTable {
  readonly name: string;
  /** Names the content, so that readings can say where they came from without naming the file. */
  readonly fingerprint: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/**
 * Reads a comma-, semicolon- or tab-separated file in UTF-8 with a header line, as it is or
 * compressed with gzip.
 *
 * @throws UserError "input" where the file cannot be read as such a table.
 */
export function readLabelTable(path: string): LabelTable {
  return parseLabelTable(contentOf(path), basename(path));
}

/** The same from a file's content. */
export function parseLabelTable(content: Buffer, name: string): LabelTable {
  const firstLine = content.subarray(0, 65_536).toString("utf8").split(/\r?\n/, 1)[0] ?? "";
  const delimiter = [",", ";", "\t"].toSorted(
    (a, b) => firstLine.split(b).length - firstLine.split(a).length,
  )[0] as string;
  let records: string[][];
  try {
    records = parse(content, {
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: 1_000_000,
    });
  } catch (thrown) {
    throw new UserError(
      "input",
      `${name} could not be read as a table: ${messageOf(thrown)}. Save it as CSV in UTF-8 and try again.`,
      { cause: thrown },
    );
  }
  const header = records[0];
  if (header === undefined || header.length < 2) {
    throw new UserError(
      "input",
      `${name} has no header line with at least two columns. The first line must name the columns.`,
    );
  }
  // Columns without a name cannot be referred to, so any number of them does no harm.
  const repeated = header.find(
    (column, index) => column !== "" && header.indexOf(column) !== index,
  );
  if (repeated !== undefined) {
    throw new UserError(
      "input",
      `${name} has two columns named "${repeated}". Rename one of them and try again.`,
    );
  }
  return {
    name,
    fingerprint: createHash("sha256").update(content).digest("hex").slice(0, 16),
    columns: header,
    rows: records
      .slice(1)
      .map((cells) => Object.fromEntries(header.map((column, i) => [column, cells[i] ?? ""]))),
  };
}

/** Labels of 200,000 films take some tens of megabytes. */
const tableLimitBytes = 1024 * 1024 * 1024;

/**
 * Reads a list of names, one on each line.
 *
 * @throws UserError "input" where the file cannot be read.
 */
export function readNameList(path: string): readonly string[] {
  const lines = contentOf(path).toString("utf8").split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

function contentOf(path: string): Buffer {
  const name = basename(path);
  try {
    if (statSync(path).size > tableLimitBytes) {
      throw new UserError("input", `${name} is larger than 1 GB, so it is hardly a table.`);
    }
    const content = readFileSync(path);
    const compressed = content[0] === 0x1f && content[1] === 0x8b;
    return compressed ? gunzipSync(content, { maxOutputLength: tableLimitBytes }) : content;
  } catch (thrown) {
    if (thrown instanceof UserError) throw thrown;
    throw new UserError(
      "input",
      `${name} could not be read: ${messageOf(thrown)}. Check the path and your permission.`,
      { cause: thrown },
    );
  }
}
