import { textElement, type DataElement } from "./elements.ts";
import { textValues } from "./values.ts";

/** Sequences of coded entries that are kept, such as the view and the anatomic region. */
export const codeSequences = new Set([
  "00082218",
  "00082220",
  "00082228",
  "00082230",
  "00089215",
  "00180012",
  "00180014",
  "00185104",
  "00281352",
  "0040A170",
  "00540220",
  "00540222",
  "00540410",
  "00540412",
  "00540414",
]);

/** Public coding schemes; a private one may number patients. */
const schemes = new Set(["DCM", "SRT", "SNM3", "SCT", "LN", "UCUM", "RADLEX", "FMA", "UMLS"]);

/**
 * An item of a code sequence: its code, scheme and meaning, and the code sequences inside of it.
 * Null where the scheme is not public or the code is none.
 */
export function cleanedCode(
  item: readonly DataElement[],
  nested: (elements: readonly DataElement[]) => readonly DataElement[],
): readonly DataElement[] | null {
  const read = (tag: string) =>
    textValues(item.find((element) => element.tag === tag)?.value ?? new Uint8Array(0))[0] ?? "";
  const code = read("00080100");
  const scheme = read("00080102");
  const meaning = read("00080104");
  if (!schemes.has(scheme) || !/^[A-Za-z0-9._/-]{1,16}$/.test(code)) return null;
  const plain = /^[A-Za-z0-9 ,.()/'-]{1,64}$/.test(meaning);
  return [
    textElement("00080100", "SH", code),
    textElement("00080102", "SH", scheme),
    textElement("00080104", "LO", plain ? meaning : code),
    ...nested(item.filter(({ tag }) => codeSequences.has(tag))),
  ];
}

/** One coded entry of DICOM's own scheme. */
export function dicomCode(code: string, meaning: string): readonly DataElement[] {
  return [
    textElement("00080100", "SH", code),
    textElement("00080102", "SH", "DCM"),
    textElement("00080104", "LO", meaning),
  ];
}
