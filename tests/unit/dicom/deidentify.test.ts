import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import {
  deidentify,
  type DeidentifyOptions,
} from "../../../src/main/dicom/deidentification/deidentify.ts";
import { profileSize, ruleFor } from "../../../src/main/dicom/deidentification/profile.ts";
import { parseDataSet, parseFile } from "../../../src/main/dicom/parse.ts";
import { siteIdentity } from "../../../src/main/store/identity.ts";
import type { Elements } from "../../support/dicom-writer.ts";
import { writeDicom } from "../../support/dicom-writer.ts";
import { nativeSyntaxes, streamWithText } from "../../support/deidentification.ts";
import { encodings, loadEncoders } from "../../support/encoders.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  smallForm,
  storedValues,
  writeFilm,
  type PixelForm,
} from "../../support/films.ts";

const keys = siteIdentity(Buffer.alloc(32, 7));
const options: DeidentifyOptions = { keys };

async function shaOf(bytes: Uint8Array): Promise<string> {
  const { values } = await decodeFrame(parseFile(bytes));
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}

function text(bytes: Uint8Array, tag: string): string | undefined {
  return parseDataSet(bytes).string(tag);
}

const identity: Elements = {
  "00080050": "ACC-774411",
  "00080080": "St. Elsewhere",
  "00080090": "Referrer^Rita",
  "00081030": "chest of Mrs Phantom",
  "00101010": "059Y",
  "00104000": "neighbour of the mayor",
  "00181000": "SERIAL-99",
  "00090010": "ACME",
  "00091001": "private Phantom",
  "00181063:DS": "12.5",
  "00080022:DA": "20210315",
  "0008002A:DT": "20210315083000.123+0100",
  "00080030:TM": "083000",
};

describe("the profile", () => {
  it("names the attributes of PS3.15 Table E.1-1", () => {
    expect(profileSize).toBe(615);
    expect(ruleFor("00100010", false).action).toBe("Z");
    expect(ruleFor("00080020", false).action).toBe("C");
    expect(ruleFor("00080018", false).action).toBe("U");
    expect(ruleFor("00101010", false).action).toBe("X");
    expect(ruleFor("00101010", true).action).toBe("K");
    expect(ruleFor("00204000", false).action).toBe("X");
  });

  it("removes whatever it does not know", () => {
    for (const tag of ["00091001", "60003000", "50003000", "0008FFFE", "FFFCFFFC", "00280A04"]) {
      expect(ruleFor(tag, true).action).toBe("X");
    }
  });
});

describe("a de-identified copy", () => {
  it.each(nativeSyntaxes)("keeps every stored value in %s", async (transferSyntax) => {
    const film = writeFilm(1, 1, identity, { transferSyntax });
    const copy = await deidentify(film, options);
    expect(copy.transferSyntax).toBe(transferSyntax);
    expect(await shaOf(copy.bytes)).toBe(await shaOf(film));
    expect(copy.bytes.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
    expect(parseFile(copy.bytes).header.film.viewPosition).toBe("PA");
    expect(parseFile(copy.bytes).header.pixels.bitsStored).toBe(12);
  });

  it("moves all dates of a patient by the same days and keeps times", async () => {
    const copy = await deidentify(writeFilm(1, 1, identity), options);
    const patient = keys.patient("PAT-1", null);
    const moved = keys.shiftDate(patient, "2021-03-14").replaceAll("-", "");
    const next = keys.shiftDate(patient, "2021-03-15").replaceAll("-", "");
    expect(text(copy.bytes, "x00080020")).toBe(moved);
    expect(text(copy.bytes, "x00080022")).toBe(next);
    expect(text(copy.bytes, "x0008002a")).toBe(`${next}083000.123`);
    expect(text(copy.bytes, "x00080030")).toBe("083000");
    expect(text(copy.bytes, "x00280303")).toBe("MODIFIED");
    expect(text(copy.bytes, "x00100030")).toBeUndefined();
  });

  it("replaces UIDs alike in header, file meta, sequences and other files", async () => {
    const study = "1.2.826.0.1.3680043.10.999.2.1";
    const one = await deidentify(
      writeFilm(1, 1, {
        "00081140": [
          { "00081150": "1.2.840.10008.5.1.4.1.1.1.1", "00081155": study, "00104000": "private" },
        ],
      }),
      options,
    );
    const two = await deidentify(writeFilm(2, 1, { "0020000D": study }), options);
    const sets = [parseDataSet(one.bytes), parseDataSet(two.bytes)];
    expect(sets[0]?.string("x0020000d")).toBe(keys.uid(study));
    expect(sets[1]?.string("x0020000d")).toBe(keys.uid(study));
    expect(sets[0]?.string("x00020003")).toBe(sets[0]?.string("x00080018"));
    const item = sets[0]?.elements["x00081140"]?.items?.[0]?.dataSet;
    expect(item?.string("x00081155")).toBe(keys.uid(study));
    expect(item?.string("x00081150")).toBe("1.2.840.10008.5.1.4.1.1.1.1");
    expect(item?.elements["x00104000"]).toBeUndefined();
    expect(keys.uid(study)).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
  });

  it("says what was done to it", async () => {
    const { bytes, patient } = await deidentify(writeFilm(1, 1, identity), options);
    expect(text(bytes, "x00100010")).toBe(patient);
    expect(text(bytes, "x00100020")).toBe(patient);
    expect(text(bytes, "x00120062")).toBe("YES");
    const codes = parseDataSet(bytes).elements["x00120064"]?.items ?? [];
    expect(codes.map((item) => item.dataSet?.string("x00080100"))).toEqual(["113100", "113107"]);
  });

  it("keeps sex and age only where asked, and no age above 90", async () => {
    const film = writeFilm(1, 1, { ...identity, "00101010": "097Y" });
    expect(text((await deidentify(film, options)).bytes, "x00101010")).toBeUndefined();
    const kept = await deidentify(film, { ...options, keepCharacteristics: true });
    expect(text(kept.bytes, "x00101010")).toBe("090Y");
    expect(text(kept.bytes, "x00100040")).toBe("M");
  });

  it("drops a code into which a device wrote the patient's name or number", async () => {
    const { bytes } = await deidentify(
      writeFilm(1, 1, { "00185101": "PHANTOM", "00180015": "CHEST PAT-1" }),
      options,
    );
    expect(text(bytes, "x00185101")).toBeUndefined();
    expect(text(bytes, "x00180015")).toBeUndefined();
  });

  it("clears bits outside of the stored ones and bytes behind the image", async () => {
    const film = Buffer.from(writeFilm(1, 1));
    const tail = Buffer.from("Phantom^P1 behind the image.");
    const start = film.length - smallForm.rows * smallForm.columns * 2;
    for (let i = start + 1; i < film.length; i += 2) film[i] = (film[i] ?? 0) | 0xf0;
    const longer = Buffer.concat([film, tail]);
    longer.writeUInt32LE(smallForm.rows * smallForm.columns * 2 + tail.length, start - 4);
    const { bytes } = await deidentify(longer, options);
    expect(bytes.includes("Phantom")).toBe(false);
    expect(await shaOf(bytes)).toBe(await shaOf(film));
    const { pixelData } = parseFile(bytes);
    const own = pixelData?.bytes.subarray(pixelData.offset, pixelData.offset + 200) ?? [];
    expect([...own].some((byte, index) => index % 2 === 1 && byte >= 0x10)).toBe(false);
  });

  it("blanks text inside compressed images, whole or in pieces, and keeps their values", async () => {
    await loadEncoders();
    const coded = encodings.filter(({ title }) => !/rle/i.test(title));
    for (const coding of coded) {
      const { title, transferSyntax, bits } = coding;
      const form: PixelForm = { ...smallForm, bitsStored: Math.min(12, bits[1]) };
      const fitted = form.bitsStored <= 8 ? { ...form, bitsAllocated: 8 as const } : form;
      const plain = coding.encode(littleEndianBytes(storedValues(fitted, 3), fitted), fitted);
      const stream = streamWithText(plain, "Phantom^P1, ward 7");
      const film = writeDicom(
        { ...filmElements(1, 1), ...pixelElements(fitted) },
        { transferSyntax, frames: [[stream.subarray(0, 300), stream.subarray(300)]] },
      );
      expect(Buffer.from(film).includes("ward 7"), title).toBe(true);
      const copy = await deidentify(film, options);
      expect(copy.bytes.includes("ward 7"), title).toBe(false);
      expect(copy.transferSyntax, title).toBe(transferSyntax);
      const without = writeDicom(
        { ...filmElements(1, 1), ...pixelElements(fitted) },
        { transferSyntax, frames: [[plain]] },
      );
      expect(await shaOf(copy.bytes), title).toBe(await shaOf(without));
    }
  });

  it("blackens regions in every syntax and says that the pixels are clean", async () => {
    for (const transferSyntax of nativeSyntaxes) {
      const film = writeFilm(1, 1, { "00280301": "YES" }, { transferSyntax });
      const { bytes, burnedInAnnotation } = await deidentify(film, {
        ...options,
        regions: [{ left: 30, top: 40, width: 99, height: 4 }],
        pixelsReviewed: true,
      });
      const before = (await decodeFrame(parseFile(film))).values;
      const after = (await decodeFrame(parseFile(bytes))).values;
      expect(burnedInAnnotation).toBe("NO");
      expect(text(bytes, "x00280301")).toBe("NO");
      after.forEach((value, index) => {
        const row = Math.floor(index / smallForm.columns);
        const inside = row >= 40 && row < 44 && index % smallForm.columns >= 30;
        expect(value).toBe(inside ? 0 : before[index]);
      });
    }
  });
});
