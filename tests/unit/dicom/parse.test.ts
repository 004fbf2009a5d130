import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ageOf } from "../../../src/main/dicom/attributes.ts";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import { writeFilm } from "../../support/films.ts";

describe("parsing a film", () => {
  it.each([
    ["with preamble", {}],
    ["without preamble", { preamble: false }],
    ["without meta header, explicit", { metaHeader: false }],
    ["without meta header, implicit", { metaHeader: false, transferSyntax: "1.2.840.10008.1.2" }],
    [
      "without meta header, big endian",
      { metaHeader: false, transferSyntax: "1.2.840.10008.1.2.2" },
    ],
  ])("reads a file %s", async (_, options) => {
    const file = parseFile(writeFilm(1, 1, {}, options));
    expect(file.header.identity.patientId).toBe("PAT-1");
    expect(file.header.film.viewPosition).toBe("PA");
    expect((await decodeFrame(file)).values).toHaveLength(48 * 40);
  });

  it.each([
    ["uncompressed", "1.2.840.10008.1.2.1"],
    ["deflated", "1.2.840.10008.1.2.1.99"],
  ])(
    "passes over whatever stands in the preamble of a file that is %s",
    async (_, transferSyntax) => {
      const bytes = Buffer.from(writeFilm(1, 1, {}, { transferSyntax }));
      const plain = await decodeFrame(parseFile(bytes));
      bytes.write("II*\0 a TIFF header, or a maker's words", 0, "latin1");
      const file = parseFile(bytes);
      expect(file.header.identity.patientId).toBe("PAT-1");
      expect(file.header.pixels.transferSyntax).toBe(transferSyntax);
      expect((await decodeFrame(file)).values).toEqual(plain.values);
    },
  );

  it.each([
    ["ISO_IR 100", Buffer.from("Müller", "latin1"), "Müller"],
    ["ISO_IR 192", Buffer.from("Müller", "utf8"), "Müller"],
    // ISO 8859-5: 0xBC is U+041C, 0xEE is U+044E.
    ["ISO_IR 144", Buffer.from([0xbc, 0xee]), "\u041c\u044e"],
  ])("reads identifiers in %s", (set, bytes, expected) => {
    const { identity } = parseFile(writeFilm(1, 1, { "00080005": set, "00100020": bytes })).header;
    expect(identity.patientId).toBe(expected);
  });

  it("prefers the age from the dates, and reads Patient's Age in all its units", () => {
    const dates = { birthDate: "1950-06-15", studyDate: "2020-06-14" };
    expect(ageOf("042Y", dates)).toBe(69);
    const unknown = { birthDate: null, studyDate: "2020-06-14" };
    expect(ageOf("042Y", unknown)).toBe(42);
    expect(ageOf("006M", unknown)).toBe(0.5);
    expect(ageOf("030M", unknown)).toBe(2);
    expect(ageOf("010W", unknown)).toBe(0.19);
    expect(ageOf("forty", unknown)).toBeNull();
    expect(ageOf(null, { birthDate: "2021-01-01", studyDate: "2020-01-01" })).toBeNull();
  });
});

describe("files that lie or break off", () => {
  const good = writeFilm(1, 1);

  it("are truncated wherever they end, and never crash", async () => {
    for (let length = 0; length < good.length; length += 37) {
      const cut = good.subarray(0, length);
      await expect(
        (async () => decodeFrame(parseFile(cut)))(),
        `${length} of ${good.length} bytes`,
      ).rejects.toMatchObject({ name: "DicomError" });
    }
  });

  it.each([
    ["no rows", { "00280010": 0 }, "implausible-header"],
    ["more bits stored than allocated", { "00280101": 17 }, "implausible-header"],
    ["a high bit beyond the allocated ones", { "00280102": 16 }, "implausible-header"],
    ["more pixels than the file has", { "00280010": 60000, "00280011": 60000 }, "too-large"],
    ["more rows than the file has", { "00280010": 4000 }, "truncated"],
    ["twelve allocated bits", { "00280100": 12 }, "unsupported-pixels"],
    ["four samples", { "00280002": 4 }, "unsupported-pixels"],
  ])("claiming %s are refused before memory is taken", async (_, changes, code) => {
    await expect(decodeFrame(parseFile(writeFilm(1, 1, changes)))).rejects.toMatchObject({ code });
  });

  it("in an unknown syntax are refused by name", async () => {
    const film = writeFilm(1, 1, {}, { transferSyntax: "1.2.840.10008.1.2.4.100" });
    await expect(decodeFrame(parseFile(film))).rejects.toThrow(
      /not supported \(transfer syntax 1\.2\.840\.10008\.1\.2\.4\.100\)/,
    );
  });

  it("with any bytes changed either decode or are refused in words", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        async (changes) => {
          const bytes = Uint8Array.from(good);
          for (const [position, value] of changes) bytes[position] = value;
          try {
            const frame = await decodeFrame(parseFile(bytes));
            expect(frame.values.length).toBeGreaterThan(0);
          } catch (thrown) {
            expect(thrown).toMatchObject({ name: "DicomError" });
          }
        },
      ),
      { seed: 20260102, numRuns: 2000 },
    );
  });
});
