import { describe, expect, it } from "vitest";
import { decodeText } from "../../../src/main/dicom/character-set.ts";

/** Bytes as PS3.5 prints them: columns and rows of the code table, or characters. */
function bytes(...parts: readonly (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === "number" ? [part] : [...Buffer.from(part, "latin1")])),
  );
}
const ESC = 0x1b;

describe("text with code extensions", () => {
  it("reads PS3.5 H.3.1: Yamada Tarou in kanji and hiragana", () => {
    const value = bytes(
      "Yamada^Tarou=",
      ...[ESC, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, ESC, 0x28, 0x42],
      "^",
      ...[ESC, 0x24, 0x42, 0x42, 0x40, 0x4f, 0x3a, ESC, 0x28, 0x42],
      "=",
      ...[ESC, 0x24, 0x42, 0x24, 0x64, 0x24, 0x5e, 0x24, 0x40, ESC, 0x28, 0x42],
      "^",
      ...[ESC, 0x24, 0x42, 0x24, 0x3f, 0x24, 0x6d, 0x24, 0x26, ESC, 0x28, 0x42],
    );
    expect(decodeText(value, ["", "ISO 2022 IR 87"])).toBe("Yamada^Tarou=山田^太郎=やまだ^たろう");
  });

  it("reads PS3.5 H.3.2: with half-width katakana first", () => {
    const value = bytes(
      ...[0xd4, 0xcf, 0xc0, 0xde, 0x5e, 0xc0, 0xdb, 0xb3, 0x3d],
      ...[ESC, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, ESC, 0x28, 0x4a, 0x5e],
      ...[ESC, 0x24, 0x42, 0x42, 0x40, 0x4f, 0x3a, ESC, 0x28, 0x4a, 0x3d],
      ...[ESC, 0x24, 0x42, 0x24, 0x64, 0x24, 0x5e, 0x24, 0x40, ESC, 0x28, 0x4a, 0x5e],
      ...[ESC, 0x24, 0x42, 0x24, 0x3f, 0x24, 0x6d, 0x24, 0x26, ESC, 0x28, 0x4a],
    );
    expect(decodeText(value, ["ISO 2022 IR 13", "ISO 2022 IR 87"])).toBe(
      "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    );
  });

  it("reads PS3.5 I.2: Hong Gildong in hanja and hangul", () => {
    const value = bytes(
      "Hong^Gildong=",
      ...[ESC, 0x24, 0x29, 0x43, 0xfb, 0xf3, 0x5e, ESC, 0x24, 0x29, 0x43, 0xd1, 0xce, 0xd4, 0xd7],
      "=",
      ...[ESC, 0x24, 0x29, 0x43, 0xc8, 0xab, 0x5e, ESC, 0x24, 0x29, 0x43, 0xb1, 0xe6, 0xb5, 0xbf],
    );
    expect(decodeText(value, ["", "ISO 2022 IR 149"])).toBe("Hong^Gildong=洪^吉洞=홍^길동");
  });

  it("reads PS3.5 K.2: Zhang XiaoDong in GB 2312", () => {
    const value = bytes(
      "Zhang^XiaoDong=",
      ...[ESC, 0x24, 0x29, 0x41, 0xd5, 0xc5, 0x5e, ESC, 0x24, 0x29, 0x41, 0xd0, 0xa1, 0xb6, 0xab],
      "=",
    );
    expect(decodeText(value, ["", "ISO 2022 IR 58"])).toBe("Zhang^XiaoDong=张^小东=");
  });

  it("reads JIS X 0212, and several single-byte sets in one value", () => {
    // 侄 is 0x3049 and 丂 0x3021 in JIS X 0212.
    expect(
      decodeText(bytes(ESC, 0x24, 0x28, 0x44, 0x30, 0x21, ESC, 0x28, 0x42), [
        "",
        "ISO 2022 IR 159",
      ]),
    ).toBe("丂");
    expect(
      decodeText(
        bytes("Buc", 0xe4, "^", ESC, 0x2d, 0x4c, 0xbb, 0xee, 0xda, "^", ESC, 0x2d, 0x46, 0xc4),
        ["ISO 2022 IR 100", "ISO 2022 IR 144", "ISO 2022 IR 126"],
      ),
    ).toBe("Bucä^Люк^Δ");
  });

  it("returns to the first set after a delimiter", () => {
    const value = bytes(ESC, 0x2d, 0x46, 0xc4, "\\", 0xc4);
    expect(decodeText(value, ["ISO 2022 IR 100", "ISO 2022 IR 126"])).toBe("Δ\\Ä");
  });

  it("does not take the second byte of a kanji for a delimiter", () => {
    // 0x3d 0x5c and 0x5e 0x3d are kanji whose bytes look like "=", "\" and "^".
    const value = bytes(ESC, 0x24, 0x42, 0x3d, 0x5c, 0x5e, 0x3d, ESC, 0x28, 0x42);
    const text = decodeText(value, ["", "ISO 2022 IR 87"]);
    expect(text).toHaveLength(2);
    expect(text).not.toMatch(/[=\\^]/);
  });
});

describe("text in one character set", () => {
  it.each([
    ["ISO_IR 100", bytes("M", 0xfc, "ller"), "Müller"],
    ["ISO_IR 101", bytes("Wa", 0xb3, 0xea, "sa"), "Wałęsa"],
    ["ISO_IR 144", bytes(0xbb, 0xee, 0xda), "Люк"],
    ["ISO_IR 192", Buffer.from("山田^太郎"), "山田^太郎"],
    ["GB18030", bytes(0xcd, 0xf5, "^", 0xd0, 0xa1, 0xb6, 0xab), "王^小东"],
    ["", bytes("Adams", 0x20), "Adams"],
    ["no such set", bytes("Adams", 0), "Adams"],
  ])("%s", (term, value, expected) => {
    expect(decodeText(value, [term])).toBe(expected);
  });

  it("never fails, whatever the bytes", () => {
    for (let seed = 0; seed < 500; seed++) {
      const value = Uint8Array.from({ length: 1 + (seed % 23) }, (_, index) =>
        (seed * 131 + index * index * 71) % 7 === 0 ? ESC : (seed * 31 + index * 97) & 255,
      );
      expect(typeof decodeText(value, ["ISO 2022 IR 13", "ISO 2022 IR 87"])).toBe("string");
    }
  });
});
