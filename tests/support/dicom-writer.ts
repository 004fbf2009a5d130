import { deflateRawSync } from "node:zlib";

/**
 * Values by tag ("00100020"), whose value representation is looked up below, or by tag and value
 * representation ("00091010:LO").
 */
export type Elements = Readonly<Record<string, ElementValue>>;
export type ElementValue = string | number | readonly number[] | Uint8Array | readonly Elements[];

export interface WriteOptions {
  readonly transferSyntax?: string;
  /** Compressed frames: each a list of fragments. Replaces uncompressed pixels. */
  readonly frames?: readonly (readonly Uint8Array[])[];
  /** Write a basic offset table that is not empty. */
  readonly offsetTable?: boolean;
  /** Uncompressed pixels, little endian, in memory order. */
  readonly pixels?: Uint8Array;
  readonly pixelVr?: "OB" | "OW";
  readonly preamble?: boolean;
  readonly metaHeader?: boolean;
}

const vrByTag: Readonly<Record<string, string>> = {
  "00041220": "SQ",
  "00041430": "CS",
  "00041500": "CS",
  "00080005": "CS",
  "00080008": "CS",
  "00080016": "UI",
  "00080018": "UI",
  "00080020": "DA",
  "00080050": "SH",
  "00080060": "CS",
  "00080068": "CS",
  "00080070": "LO",
  "00080080": "LO",
  "00080081": "ST",
  "00080090": "PN",
  "00081010": "SH",
  "00081030": "LO",
  "0008103E": "LO",
  "00081140": "SQ",
  "00081150": "UI",
  "00081155": "UI",
  "00100010": "PN",
  "00100020": "LO",
  "00100030": "DA",
  "00100040": "CS",
  "00101000": "LO",
  "00101010": "AS",
  "00101040": "LO",
  "00102160": "SH",
  "00104000": "LT",
  "00180015": "CS",
  "00181000": "LO",
  "00181400": "LO",
  "00185101": "CS",
  "0020000D": "UI",
  "0020000E": "UI",
  "00200010": "SH",
  "00200020": "CS",
  "00204000": "LT",
  "00280002": "US",
  "00280004": "CS",
  "00280006": "US",
  "00280008": "IS",
  "00280010": "US",
  "00280011": "US",
  "00280030": "DS",
  "00280100": "US",
  "00280101": "US",
  "00280102": "US",
  "00280103": "US",
  "00280120": "US",
  "00280121": "US",
  "00280301": "CS",
  "00281050": "DS",
  "00281051": "DS",
  "00281052": "DS",
  "00281053": "DS",
  "00281056": "CS",
  "00283000": "SQ",
  "00283002": "US",
  "00283004": "LO",
  "00283006": "OW",
  "00283010": "SQ",
  "00090010": "LO",
  "00091001": "LO",
  "00400275": "SQ",
  "00400007": "LO",
  "20500020": "CS",
  "60000010": "US",
  "60000011": "US",
  "60000040": "CS",
  "60000050": "SS",
  "60000100": "US",
  "60000102": "US",
  "60003000": "OW",
  "60004000": "LT",
  "00321032": "PN",
  "00380010": "LO",
  "00081048": "PN",
  "00081070": "PN",
  "0040A124": "UI",
  "00020010": "UI",
  "00020002": "UI",
  "00020003": "UI",
  "00020001": "OB",
  "00020012": "UI",
  "00020016": "AE",
};
const longVrs = new Set(["OB", "OW", "OF", "SQ", "UC", "UN", "UR", "UT"]);

/** Writes a DICOM file. A small writer of our own, so that tests know each byte. */
export function writeDicom(elements: Elements, options: WriteOptions = {}): Uint8Array {
  const transferSyntax = options.transferSyntax ?? "1.2.840.10008.1.2.1";
  const bigEndian = transferSyntax === "1.2.840.10008.1.2.2";
  const explicit = transferSyntax !== "1.2.840.10008.1.2";
  let body = dataSet(elements, explicit, bigEndian);
  if (options.frames !== undefined) {
    body = Buffer.concat([body, encapsulate(options.frames, options.offsetTable === true)]);
  } else if (options.pixels !== undefined) {
    const bits = Number(elements["00280100"]);
    const vr = options.pixelVr ?? (bits > 8 ? "OW" : "OB");
    body = Buffer.concat([body, pixelElement(options.pixels, vr, bits, explicit, bigEndian)]);
  }
  if (transferSyntax === "1.2.840.10008.1.2.1.99") body = deflateRawSync(body);
  if (options.metaHeader === false) return body;
  const meta = dataSet(
    {
      "00020001": new Uint8Array([0, 1]),
      "00020002": elements["00080016"] ?? "1.2.840.10008.5.1.4.1.1.1.1",
      "00020003": elements["00080018"] ?? "1.2.3",
      "00020010": transferSyntax,
      "00020012": "1.2.826.0.1.3680043.10.999",
    },
    true,
    false,
  );
  const length = Buffer.alloc(12);
  length.writeUInt16LE(2, 0);
  length.write("UL", 4, "latin1");
  length.writeUInt16LE(4, 6);
  length.writeUInt32LE(meta.length, 8);
  const preamble = Buffer.alloc(132);
  preamble.write("DICM", 128, "latin1");
  const withPreamble = options.preamble !== false;
  return Buffer.concat([...(withPreamble ? [preamble] : []), length, meta, body]);
}

function dataSet(elements: Elements, explicit: boolean, bigEndian: boolean): Buffer {
  const parts = Object.keys(elements)
    .sort()
    .map((tag) => element(tag, elements[tag] as ElementValue, explicit, bigEndian));
  return Buffer.concat(parts);
}

function element(tag: string, value: ElementValue, explicit: boolean, bigEndian: boolean): Buffer {
  const [, given] = tag.split(":");
  const vr = given ?? vrByTag[tag.toUpperCase()];
  if (vr === undefined) throw new Error(`The writer knows no value representation for ${tag}.`);
  const body = encode(vr, value, explicit, bigEndian);
  return Buffer.concat([header(tag, vr, body.length, explicit, bigEndian), body]);
}

function header(tag: string, vr: string, length: number, explicit: boolean, bigEndian: boolean) {
  const long = longVrs.has(vr);
  const out = Buffer.alloc(explicit && long ? 12 : 8);
  const write16 = (value: number, at: number) =>
    bigEndian ? out.writeUInt16BE(value, at) : out.writeUInt16LE(value, at);
  const write32 = (value: number, at: number) =>
    bigEndian ? out.writeUInt32BE(value, at) : out.writeUInt32LE(value, at);
  write16(Number.parseInt(tag.slice(0, 4), 16), 0);
  write16(Number.parseInt(tag.slice(4, 8), 16), 2);
  if (!explicit) {
    write32(length, 4);
    return out;
  }
  out.write(vr, 4, "latin1");
  if (long) write32(length, 8);
  else write16(length, 6);
  return out;
}

function encode(vr: string, value: ElementValue, explicit: boolean, bigEndian: boolean): Buffer {
  if (vr === "SQ") {
    const items = (value as readonly Elements[]).map((item) => {
      const body = dataSet(item, explicit, bigEndian);
      return Buffer.concat([header("FFFEE000", "", body.length, false, bigEndian), body]);
    });
    return Buffer.concat(items);
  }
  if (vr === "US" || vr === "SS" || (vr === "OW" && Array.isArray(value))) {
    const values = typeof value === "number" ? [value] : (value as readonly number[]);
    const out = Buffer.alloc(values.length * 2);
    values.forEach((each, index) => {
      const bits = each & 0xffff;
      if (bigEndian) out.writeUInt16BE(bits, index * 2);
      else out.writeUInt16LE(bits, index * 2);
    });
    return out;
  }
  const raw = Buffer.from(value instanceof Uint8Array ? value : textOf(vr, value));
  const padding = vr === "UI" || vr === "OB" || vr === "OW" ? 0 : 32;
  return raw.length % 2 === 0 ? raw : Buffer.concat([raw, Buffer.from([padding])]);
}

function pixelElement(
  pixels: Uint8Array,
  vr: "OB" | "OW",
  bits: number,
  explicit: boolean,
  bigEndian: boolean,
): Buffer {
  let body = Buffer.from(pixels);
  if (body.length % 2 === 1) body = Buffer.concat([body, Buffer.from([0])]);
  if (bigEndian && bits === 32) body.swap32();
  else if (bigEndian && (bits === 16 || vr === "OW")) body.swap16();
  return Buffer.concat([header("7FE00010", vr, body.length, explicit, bigEndian), body]);
}

function encapsulate(frames: readonly (readonly Uint8Array[])[], withTable: boolean): Buffer {
  const item = (bytes: Uint8Array) => {
    const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([0])]);
    return Buffer.concat([header("FFFEE000", "", even.length, false, false), even]);
  };
  const offsets: number[] = [];
  const items: Buffer[] = [];
  let position = 0;
  for (const fragments of frames) {
    offsets.push(position);
    for (const fragment of fragments) {
      const written = item(fragment);
      items.push(written);
      position += written.length;
    }
  }
  const table = Buffer.alloc(withTable ? offsets.length * 4 : 0);
  if (withTable) offsets.forEach((offset, index) => table.writeUInt32LE(offset, index * 4));
  const start = header("7FE00010", "OB", 0xffffffff, true, false);
  return Buffer.concat([start, item(table), ...items, header("FFFEE0DD", "", 0, false, false)]);
}

function textOf(vr: string, value: Exclude<ElementValue, Uint8Array>): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new TypeError(`An element of VR ${vr} takes a text, a number or bytes.`);
}
