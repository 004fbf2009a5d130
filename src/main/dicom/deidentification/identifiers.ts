import { decodeText } from "../character-set.ts";
import type { DataElement } from "./elements.ts";

/** Attributes whose whole value names a person, an admission or an order. */
const identifierTags = new Set([
  "00080050",
  "00100020",
  "00100030",
  "00101000",
  "00101060",
  "00102154",
  "00102160",
  "00380010",
  "00402016",
  "00402017",
]);
const shortestWord = 4;
const shortestBytes = 6;

/** What the file itself says that must not stand anywhere in its copy. */
export interface Identifiers {
  /** Whether a text that would be kept repeats one of them, in whole or inside. */
  inText(text: string): boolean;
  /** Whether numbers that would be kept spell one of them in ASCII or UTF-16. */
  inBytes(bytes: Uint8Array): boolean;
}

/**
 * Collects names and identifiers from a data set. Codes are kept by their attribute, but nothing
 * stops a device from writing a name into a code: this second look finds those.
 */
export function identifiersOf(elements: readonly DataElement[]): Identifiers {
  const found = new Set<string>();
  collect(elements, found);
  const words = [...found];
  const patterns = words
    .filter((word) => word.length >= shortestBytes)
    .flatMap((word) => [Buffer.from(word, "latin1"), Buffer.from(word, "utf16le")]);
  return {
    inText: (text) => {
      const upper = text.toUpperCase();
      const numeric = /^[-+\d.E\\ ]*$/.test(upper);
      // Digits of a patient's number can stand in a measurement by chance.
      return words.some((word) =>
        numeric ? upper.split("\\").some((each) => each.trim() === word) : upper.includes(word),
      );
    },
    inBytes: (bytes) => {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return patterns.some((pattern) => buffer.includes(pattern));
    },
  };
}

function collect(elements: readonly DataElement[], found: Set<string>): void {
  for (const { tag, vr, value, items } of elements) {
    for (const item of items ?? []) collect(item, found);
    if (items !== null || value.length > 1024) continue;
    const isName = vr === "PN" || tag === "00100010";
    if (!isName && !identifierTags.has(tag)) continue;
    const text = decodeText(value, []).toUpperCase();
    const parts = isName ? text.split(/[\^=\\ ,]+/) : text.split("\\");
    for (const part of parts) {
      const word = part.trim();
      if (word.length >= shortestWord) found.add(word);
    }
  }
}
