import { decodeText } from "../character-set.ts";

/** The keyed replacements of one site, bound to one patient. */
export interface Replacements {
  readonly patient: string;
  readonly uid: (original: string) => string;
  /** An ISO date moved by the patient's secret number of days. */
  readonly shiftDate: (isoDate: string) => string;
}

/** UIDs under this root are the standard's own: classes and transfer syntaxes, no instances. */
const standardRoot = "1.2.840.10008.";

/** Moved dates and kept times; null where the value is none, so that it cannot be cleaned. */
export function cleanedMoment(
  vr: string,
  value: Uint8Array,
  { shiftDate }: Replacements,
): string | null {
  const cleaned = textValues(value).map((text) => {
    if (vr === "TM") return /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/.test(text) ? text : null;
    const parts =
      vr === "DT"
        ? /^(\d{4})(\d{2})(\d{2})(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?$/.exec(text)
        : /^(\d{4})[.]?(\d{2})[.]?(\d{2})$/.exec(text);
    if (parts === null) return null;
    const iso = `${parts[1]}-${parts[2]}-${parts[3]}`;
    if (Number.isNaN(Date.parse(iso))) return null;
    return shiftDate(iso).replaceAll("-", "") + (vr === "DT" ? (parts[4] ?? "") : "");
  });
  return cleaned.some((text) => text === null) ? null : cleaned.join("\\");
}

/** Each UID replaced, the standard's own left alone. */
export function replacedUids(value: Uint8Array, { uid }: Replacements): string {
  return textValues(value)
    .map((text) => (text === "" ? "" : uid(text)))
    .join("\\");
}

/** A class UID of the standard as it is; another is replaced, since it may hold anything. */
export function keptClassUid(value: Uint8Array, { uid }: Replacements): string {
  return textValues(value)
    .map((text) => (isStandardUid(text) ? text : text === "" ? "" : uid(text)))
    .join("\\");
}

export function isStandardUid(uid: string): boolean {
  return uid.startsWith(standardRoot) && /^[\d.]{1,40}$/.test(uid);
}

/** A value that says nothing and is valid for its representation. */
export function dummyFor(vr: string, replacements: Replacements): string {
  switch (vr) {
    case "AS":
      return "000Y";
    case "CS":
      return "REMOVED";
    // Not a moved date: a known day beside it would give the patient's number of days away.
    case "DA":
      return "19000101";
    case "DT":
      return "19000101000000";
    case "TM":
      return "000000";
    case "DS":
    case "IS":
      return "0";
    case "UI":
      return replacements.uid("removed");
    case "AE":
    case "LO":
    case "LT":
    case "PN":
    case "SH":
    case "ST":
    case "UC":
    case "UT":
      return "REMOVED";
    default:
      return "";
  }
}

const patterns: Readonly<Record<string, RegExp>> = {
  AS: /^\d{3}[DWMY]$/,
  CS: /^[A-Z0-9_ ]{0,16}$/,
  DS: /^[-+]?[\d.]{0,14}(E[-+]?\d{1,3})?$/i,
  IS: /^[-+]?\d{0,11}$/,
};

/** Whether a text is what its representation allows; codes and numbers only. */
export function isPlainValue(vr: string, value: Uint8Array): boolean {
  const pattern = patterns[vr];
  return pattern !== undefined && textValues(value).every((text) => pattern.test(text));
}

/** The values of single-byte text, trimmed. */
export function textValues(value: Uint8Array): readonly string[] {
  return decodeText(value, [])
    .split("\\")
    .map((text) => text.replaceAll("\0", "").trim());
}
