/**
 * Text of a data set in the character sets of PS3.3 C.12.1.1.2: single ones, and those of ISO 2022
 * with code extensions (PS3.5 section 6.1.2.5), where escape sequences switch between them.
 */

/** Single character sets, by the WHATWG name of the decoder that reads them. */
const encodings: Readonly<Record<string, string>> = {
  "ISO_IR 100": "iso-8859-1",
  "ISO_IR 101": "iso-8859-2",
  "ISO_IR 109": "iso-8859-3",
  "ISO_IR 110": "iso-8859-4",
  "ISO_IR 144": "iso-8859-5",
  "ISO_IR 127": "iso-8859-6",
  "ISO_IR 126": "iso-8859-7",
  "ISO_IR 138": "iso-8859-8",
  "ISO_IR 148": "iso-8859-9",
  "ISO_IR 203": "iso-8859-15",
  "ISO_IR 166": "windows-874",
  "ISO_IR 13": "shift_jis",
  "ISO_IR 192": "utf-8",
  GB18030: "gb18030",
  GBK: "gbk",
};

/** How the bytes of one half of the code table are read. */
interface CodeElement {
  readonly encoding: string;
  /** Bytes of a character. */
  readonly width: 1 | 2;
  /** What makes the decoder's byte of ours: the high bit, and the prefix of JIS X 0212. */
  readonly highBit: boolean;
  readonly prefix?: number;
}

const ascii: CodeElement = { encoding: "iso-8859-1", width: 1, highBit: false };
const single = (encoding: string): CodeElement => ({ encoding, width: 1, highBit: true });
const double = (encoding: string): CodeElement => ({ encoding, width: 2, highBit: true });

/** Escape sequences (PS3.3 tables C.12-3 and C.12-4): the half they fill, and with what. */
const designations: Readonly<Record<string, readonly ["G0" | "G1", CodeElement]>> = {
  "(B": ["G0", ascii],
  // JIS X 0201 romaji is ASCII but for the yen sign and the overline, which stay as coded.
  "(J": ["G0", ascii],
  ")I": ["G1", single("shift_jis")],
  "-A": ["G1", single("iso-8859-1")],
  "-B": ["G1", single("iso-8859-2")],
  "-C": ["G1", single("iso-8859-3")],
  "-D": ["G1", single("iso-8859-4")],
  "-L": ["G1", single("iso-8859-5")],
  "-G": ["G1", single("iso-8859-6")],
  "-F": ["G1", single("iso-8859-7")],
  "-H": ["G1", single("iso-8859-8")],
  "-M": ["G1", single("iso-8859-9")],
  "-b": ["G1", single("iso-8859-15")],
  "-T": ["G1", single("windows-874")],
  $B: ["G0", double("euc-jp")],
  "$(D": ["G0", { ...double("euc-jp"), prefix: 0x8f }],
  "$)C": ["G1", double("euc-kr")],
  "$)A": ["G1", double("gb18030")],
};

const escape = 0x1b;
/** Line ends, form feed and tab, then the delimiters of values and of parts of a name. */
const resets = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x5c, 0x5e, 0x3d]);

/** Decodes text of a data set; padding and trailing nulls are removed. */
export function decodeText(bytes: Uint8Array, characterSets: readonly string[]): string {
  const text = bytes.includes(escape)
    ? decodeExtended(bytes, characterSets)
    : decodeWith(encodingOf(plainSet(characterSets)), bytes);
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0 || text.charCodeAt(end - 1) === 32)) end--;
  return text.slice(0, end).trimStart();
}

/** The set of text without escapes; some writers leave the first value empty before UTF-8. */
function plainSet([first = "", ...others]: readonly string[]): string {
  if (first !== "") return first;
  return others.find((term) => term !== "" && !term.startsWith("ISO 2022")) ?? "";
}

/** The encoding of a defined term; ISO 2022 terms begin with the set of the same number. */
function encodingOf(term: string): string {
  return encodings[term.trim().replace("ISO 2022 IR", "ISO_IR")] ?? "iso-8859-1";
}

/**
 * Escape sequences hold until the next one or a delimiter, after which the first set of Specific
 * Character Set holds again (PS3.5 6.1.2.5.3). Sequences that no set knows are left out.
 */
function decodeExtended(bytes: Uint8Array, characterSets: readonly string[]): string {
  const initial = { G0: ascii, G1: single(encodingOf(characterSets[0] ?? "")) };
  let current = { ...initial };
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === escape) {
      const found = designationAt(bytes, at + 1);
      if (found === null) {
        at += 1;
        continue;
      }
      const [half, element] = found.designation;
      current = { ...current, [half]: element };
      at += 1 + found.length;
      continue;
    }
    // Inside a double-byte set of the lower half every byte belongs to a character.
    const inDouble = current.G0.width === 2 && byte > 0x20 && byte < 0x7f;
    if (!inDouble && resets.has(byte)) {
      current = { ...initial };
      text += String.fromCharCode(byte);
      at += 1;
      continue;
    }
    const upper = byte >= 0x80;
    const element = upper ? current.G1 : current.G0;
    let end = at;
    while (end < bytes.length && belongs(bytes[end] ?? 0, upper, element)) end += element.width;
    // A control character or space stands for itself.
    if (end === at) {
      text += String.fromCharCode(byte);
      at += 1;
      continue;
    }
    end = Math.min(end, bytes.length);
    text += decodeElement(element, bytes.subarray(at, end));
    at = end;
  }
  return text;
}

function belongs(byte: number, upper: boolean, element: CodeElement): boolean {
  if (byte === escape || byte >= 0x80 !== upper) return false;
  if (element.width === 2) return upper || (byte > 0x20 && byte < 0x7f);
  return !resets.has(byte);
}

function designationAt(bytes: Uint8Array, at: number) {
  for (const length of [3, 2]) {
    const sequence = String.fromCharCode(...bytes.subarray(at, at + length));
    const designation = designations[sequence];
    if (designation !== undefined) return { designation, length };
  }
  return null;
}

function decodeElement({ encoding, width, highBit, prefix }: CodeElement, bytes: Uint8Array) {
  if (!highBit || encoding === "iso-8859-1") return decodeWith("iso-8859-1", bytes);
  const high = Array.from(bytes, (byte) => byte | 0x80);
  if (prefix === undefined) return decodeWith(encoding, Uint8Array.from(high));
  const prefixed = high.flatMap((byte, index) => (index % width === 0 ? [prefix, byte] : [byte]));
  return decodeWith(encoding, Uint8Array.from(prefixed));
}

function decodeWith(encoding: string, bytes: Uint8Array): string {
  return encoding === "iso-8859-1"
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    : new TextDecoder(encoding).decode(bytes);
}
