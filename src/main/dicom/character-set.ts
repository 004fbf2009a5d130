/**
 * Defined terms of Specific Character Set (PS3.3 C.12.1.1.2) and the WHATWG encoding that reads
 * them. Terms of ISO 2022 are read by their first character set, with escapes removed.
 */
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

/** Decodes text of a data set; padding and trailing nulls are removed. */
export function decodeText(bytes: Uint8Array, characterSets: readonly string[]): string {
  const term = characterSets.find((set) => set !== "") ?? "";
  const encoding = encodings[term.replace("ISO 2022 IR", "ISO_IR")];
  const text =
    encoding === undefined || encoding === "iso-8859-1"
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
      : new TextDecoder(encoding).decode(bytes);
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0 || text.charCodeAt(end - 1) === 32)) end--;
  return text.slice(0, end).trimStart();
}
