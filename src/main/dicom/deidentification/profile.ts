import { keptRows } from "./kept-rows.ts";
import { firstRows } from "./profile-first.ts";
import { secondRows } from "./profile-second.ts";
import { thirdRows } from "./profile-third.ts";

/**
 * What becomes of an attribute, after the codes of PS3.15 Table E.1-1a: X removed, Z emptied,
 * D replaced by a dummy, U replaced by a consistent UID, K kept, and C cleaned (here: dates moved,
 * times kept). Where the profile leaves a choice that depends on the type in an IOD ("X/Z"), the
 * last one is taken: it carries as little and fits every IOD.
 */
export type Action = "X" | "Z" | "D" | "U" | "K" | "C";

export interface Rule {
  /** Value representation of PS3.6, which implicit files do not carry. */
  readonly vr: string;
  readonly action: Action;
}

/**
 * Table E.1-1 in its edition of January 2025. Columns: tag, value representation, basic profile,
 * option to retain longitudinal temporal information with modified dates, option to retain patient
 * characteristics, name.
 */
const profileRows = [firstRows, secondRows, thirdRows].join("");

interface ProfileRow {
  readonly vr: string;
  readonly basic: Action;
  readonly modifiedDates: Action | null;
  readonly patientCharacteristics: Action | null;
}

const profile = new Map(lines(profileRows).map((line) => [line.slice(0, 8), toRow(line)] as const));
const kept = new Map(lines(keptRows).map((line) => [line.slice(0, 8), line.slice(9, 11)] as const));

/**
 * The rule for a tag of eight hexadecimal digits. Whatever stands neither in the profile's table
 * nor among the attributes that are kept is removed: private groups, overlays and curves, and
 * attributes that later editions of the standard may add.
 */
export function ruleFor(tag: string, keepCharacteristics: boolean): Rule {
  const row = profile.get(tag);
  if (row !== undefined) {
    const option = keepCharacteristics ? row.patientCharacteristics : null;
    return { vr: row.vr, action: option ?? row.modifiedDates ?? row.basic };
  }
  const vr = kept.get(tag);
  return vr === undefined ? { vr: "UN", action: "X" } : { vr, action: "K" };
}

/** How many attributes the profile's table names. */
export const profileSize = profile.size;

function lines(rows: string): readonly string[] {
  return rows.split("\n").filter((line) => line !== "");
}

function toRow(line: string): ProfileRow {
  const [, vr = "UN", basic = "X", modifiedDates, patientCharacteristics] = line.split(" ");
  return {
    vr,
    basic: lastChoice(basic),
    modifiedDates: optional(modifiedDates),
    patientCharacteristics: optional(patientCharacteristics),
  };
}

function optional(code: string | undefined): Action | null {
  return code === undefined || code === "-" ? null : lastChoice(code);
}

function lastChoice(codes: string): Action {
  const last = codes.split("/").at(-1)?.replace("*", "") ?? "X";
  if (!isAction(last)) throw new Error(`The profile has no action ${last}.`);
  return last;
}

function isAction(code: string): code is Action {
  return ["X", "Z", "D", "U", "K", "C"].includes(code);
}
