import { firstRows } from "../../src/main/dicom/deidentification/profile-first.ts";
import { secondRows } from "../../src/main/dicom/deidentification/profile-second.ts";
import { thirdRows } from "../../src/main/dicom/deidentification/profile-third.ts";
import type { ElementValue, Elements } from "./dicom-writer.ts";
import { seeded } from "./films.ts";

/** A name or number of a patient: its characters, and the bytes by which a file carries it. */
export interface Secret {
  readonly text: string;
  readonly raw: Buffer;
  /** `raw` without escape sequences, as it must not stand anywhere. */
  readonly bare: Buffer;
}

interface CharacterSet {
  readonly term: string;
  /** Of the WHATWG decoder, which is not the product's. */
  readonly decoder: string;
  /** Lowest and highest code of a character, or of both bytes of one. */
  readonly codes: readonly [number, number];
  readonly bytes?: 2;
  readonly escape?: string;
}

const characterSets: readonly CharacterSet[] = [
  { term: "", decoder: "iso-8859-1", codes: [0x41, 0x5a] },
  { term: "ISO_IR 100", decoder: "iso-8859-1", codes: [0xc0, 0xd6] },
  { term: "ISO_IR 101", decoder: "iso-8859-2", codes: [0xc0, 0xd6] },
  { term: "ISO_IR 144", decoder: "iso-8859-5", codes: [0xb0, 0xcf] },
  { term: "ISO_IR 126", decoder: "iso-8859-7", codes: [0xc1, 0xd1] },
  { term: "ISO_IR 192", decoder: "utf-8", codes: [0x3041, 0x3090] },
  { term: "\\ISO 2022 IR 87", decoder: "euc-jp", codes: [0xb0, 0xcc], bytes: 2, escape: "$B" },
  { term: "\\ISO 2022 IR 149", decoder: "euc-kr", codes: [0xb0, 0xc8], bytes: 2, escape: "$)C" },
  { term: "GB18030", decoder: "gb18030", codes: [0xb0, 0xd0], bytes: 2 },
];

/** What is planted, and where; the same seed gives the same of all of it. */
export interface Plan {
  readonly characterSet: string;
  /** The cohort's patients: identifier and name of each. */
  readonly patients: readonly { readonly id: Secret; readonly name: Secret }[];
  /** Written into attributes that are not the patient's own. */
  readonly words: readonly Secret[];
  readonly uid: string;
  readonly birthDate: string;
  readonly studyDate: string;
  /** Attributes beyond those by which a film is read. */
  elements(): Elements;
  readonly random: () => number;
}

const profile = [firstRows, secondRows, thirdRows]
  .join("")
  .split("\n")
  .map((line) => line.split(" "))
  .flatMap(([tag = "", vr = ""]) =>
    /^(?!0002|0004|0028|7FE0)[0-9A-F]{8}$/.test(tag) ? [{ tag, vr }] : [],
  );
const texts = /^(AE|SH|LO|ST|LT|PN|UC|UT|UR)$/;
/** Sequences that a copy keeps, beside those that the profile names. */
const keptSequences = ["00081140", "00082112", "00082218", "00321064", "00400275", "00400260"];

export function planOf(seed: number, patients: number): Plan {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const set = pick(characterSets);
  const secret = () => secretIn(set, 6 + below(5), below);
  const words = [secret(), secret(), secret()];
  const uid = `1.2.${1e8 + below(9e8)}.${1e8 + below(9e8)}`;
  const year = 1996 + below(20);
  const day = `${String(1 + below(12)).padStart(2, "0")}${String(1 + below(28)).padStart(2, "0")}`;
  const studyDate = `${year}${day}`;

  const valueFor = (vr: string): ElementValue | null => {
    if (texts.test(vr)) return pick(words).raw;
    if (vr === "DA") return studyDate;
    if (vr === "DT") return `${studyDate}101500`;
    if (vr === "UI") return `${uid}.7.${below(1e6)}`;
    if (/^(OB|OW|UN)$/.test(vr)) return even(pick(words).raw);
    return null;
  };
  const some = (share: number): Elements => {
    const elements: Record<string, ElementValue> = {};
    for (const { tag, vr } of profile) {
      const value = random() < share ? valueFor(vr) : null;
      if (value !== null) elements[`${tag}:${vr}`] = value;
    }
    return elements;
  };
  const privateBlock = (depth: number): Elements => {
    const group = (0x0009 + 2 * below(0x40)).toString(16).toUpperCase().padStart(4, "0");
    const inside = depth > 0 ? [nested(depth - 1)] : [];
    return {
      [`${group}0010:LO`]: pick(words).raw,
      [`${group}10${hexadecimal(below(100))}:LO`]: pick(words).raw,
      [`${group}10${hexadecimal(100 + below(50))}:UN`]: even(pick(words).raw),
      [`${group}10${hexadecimal(150 + below(50))}:OB`]: even(pick(words).raw),
      [`${group}10F0:SQ`]: inside,
    };
  };
  const nested = (depth: number): Elements => {
    const sequences = [
      ...keptSequences,
      ...profile.filter(({ vr }) => vr === "SQ").map((row) => row.tag),
    ];
    const inside = depth > 0 ? [nested(depth - 1), some(0.02)] : [some(0.02)];
    return {
      ...some(0.03),
      ...privateBlock(depth),
      "00080104:LO": pick(words).raw,
      "00321032:PN": pick(words).raw,
      "00081155:UI": `${uid}.8.${below(1e6)}`,
      [`${pick(sequences)}:SQ`]: inside,
      [`${pick(sequences)}:SQ`]: inside,
    };
  };
  const layers = (): Elements => {
    const overlay = `60${hexadecimal(2 * below(16))}`;
    const curve = `50${hexadecimal(2 * below(16))}`;
    return {
      [`${overlay}0022:LO`]: pick(words).raw,
      [`${overlay}1500:LO`]: pick(words).raw,
      [`${overlay}3000:OW`]: even(pick(words).raw),
      [`${overlay}4000:LT`]: pick(words).raw,
      [`${curve}0022:LO`]: pick(words).raw,
      [`${curve}2500:LO`]: pick(words).raw,
      [`${curve}3000:OW`]: even(pick(words).raw),
    };
  };

  return {
    characterSet: set.term,
    patients: Array.from({ length: patients }, () => ({ id: secret(), name: secret() })),
    words,
    uid,
    birthDate: `${year - 50}0911`,
    studyDate,
    elements: () => ({
      ...some(0.4),
      ...nested(1 + below(5)),
      ...privateBlock(below(4)),
      ...layers(),
    }),
    random,
  };
}

/** Long enough that it stands nowhere by chance. */
function secretIn(set: CharacterSet, length: number, below: (limit: number) => number): Secret {
  const [low, high] = set.codes;
  const code = () => low + below(high - low + 1);
  if (set.decoder === "utf-8") {
    const text = String.fromCodePoint(...Array.from({ length }, code));
    return { text, raw: Buffer.from(text), bare: Buffer.from(text) };
  }
  const coded = Buffer.from(
    Array.from({ length: length + 2 }, () =>
      // The second byte of a pair stays where every first byte has characters.
      set.bytes === 2 ? [code(), 0xa1 + below(90)] : [code()],
    ).flat(),
  );
  const text = new TextDecoder(set.decoder, { fatal: true }).decode(coded);
  if (set.escape === undefined) return { text, raw: coded, bare: coded };
  const [before, after] = set.escape === "$B" ? [`\x1b$B`, "\x1b(B"] : ["\x1b$)C", ""];
  const bare = set.escape === "$B" ? Buffer.from(coded.map((byte) => byte & 0x7f)) : coded;
  return { text, raw: Buffer.concat([Buffer.from(before), bare, Buffer.from(after)]), bare };
}

function even(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([0])]);
}

function hexadecimal(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}
