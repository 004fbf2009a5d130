import type { Elements, WriteOptions } from "./dicom-writer.ts";
import { writeDicom } from "./dicom-writer.ts";

/** How stored values are laid down. */
export interface PixelForm {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: 8 | 16 | 32;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly samplesPerPixel?: number;
}

/** A small generator with a seed (mulberry32), so that films are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Values over the whole range of the form: a ramp with noise, and both extremes. */
export function storedValues(form: PixelForm, seed: number): number[] {
  const random = seeded(seed);
  const count = form.rows * form.columns * (form.samplesPerPixel ?? 1);
  const lowest = form.signed ? -(2 ** (form.bitsStored - 1)) : 0;
  const highest = lowest + 2 ** form.bitsStored - 1;
  const values = Array.from({ length: count }, (_, index) => {
    const ramp = lowest + ((highest - lowest) * index) / count;
    const noise = (random() - 0.5) * (highest - lowest) * 0.05;
    return Math.min(highest, Math.max(lowest, Math.round(ramp + noise)));
  });
  values[0] = lowest;
  values[count - 1] = highest;
  return values;
}

/** Little-endian bytes of stored values, as they stand in memory. */
export function littleEndianBytes(values: readonly number[], form: PixelForm): Uint8Array {
  const width = form.bitsAllocated / 8;
  const out = Buffer.alloc(values.length * width);
  values.forEach((value, index) => {
    const unsigned =
      form.bitsAllocated === 32 ? value >>> 0 : value & (2 ** form.bitsAllocated - 1);
    out.writeUIntLE(unsigned, index * width, width);
  });
  return out;
}

/** The attributes of pixels. */
export function pixelElements(form: PixelForm, photometric = "MONOCHROME2"): Elements {
  return {
    "00280002": form.samplesPerPixel ?? 1,
    "00280004": photometric,
    "00280010": form.rows,
    "00280011": form.columns,
    "00280100": form.bitsAllocated,
    "00280101": form.bitsStored,
    "00280102": form.bitsStored - 1,
    "00280103": form.signed ? 1 : 0,
  };
}

/** The attributes of a frontal chest film; `number` tells films apart. */
export function filmElements(number: number, patient: number): Elements {
  return {
    "00080016": "1.2.840.10008.5.1.4.1.1.1.1",
    "00080018": `1.2.826.0.1.3680043.10.999.1.${number}`,
    "00080020": "20210314",
    "00080060": "DX",
    "00080070": "Synthetic",
    "00100010": `Phantom^P${patient}`,
    "00100020": `PAT-${patient}`,
    "00100030": "19610723",
    "00100040": patient % 2 === 0 ? "F" : "M",
    "00180015": "CHEST",
    "00185101": "PA",
    "0020000D": `1.2.826.0.1.3680043.10.999.2.${number}`,
    "0020000E": `1.2.826.0.1.3680043.10.999.3.${number}`,
  };
}

export const smallForm: PixelForm = {
  rows: 48,
  columns: 40,
  bitsAllocated: 16,
  bitsStored: 12,
  signed: false,
};

/** A whole uncompressed film whose pixels depend on its number. */
export function writeFilm(
  number: number,
  patient: number,
  changes: Elements = {},
  options: WriteOptions = {},
  form: PixelForm = smallForm,
): Uint8Array {
  const pixels = littleEndianBytes(storedValues(form, number), form);
  return writeDicom(
    { ...filmElements(number, patient), ...pixelElements(form), ...changes },
    { pixels, ...options },
  );
}
