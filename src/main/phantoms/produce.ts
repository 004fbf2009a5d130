import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { phantomFile, phantomUids } from "./dicom-file.ts";
import { planFilm, renderFilm } from "./film.ts";
import type { LabelRow } from "./labels-table.ts";
import { createLayers } from "./layers.ts";
import type { Layers } from "./layers.ts";
import { samplePatient } from "./population.ts";
import type { PhantomStyle } from "./population.ts";
import { storeFilm } from "./stored-values.ts";
import type { TransferSyntax } from "./transfer-syntax.ts";
import type { Vendor } from "./vendors.ts";

/** What a worker needs to know to produce any patient of a set. */
export interface ProductionOptions {
  folder: string;
  seed: number;
  sizePixels: number;
  style: PhantomStyle;
  transferSyntaxes: readonly TransferSyntax[];
}

/** Renders and writes patients; keeps its layers between films. */
export function createProducer(options: ProductionOptions): (index: number) => LabelRow[] {
  const bySize = new Map<string, Layers>();
  const layersFor = (columns: number, rows: number): Layers => {
    const key = `${columns}x${rows}`;
    const known = bySize.get(key);
    if (known) return known;
    const layers = createLayers(columns, rows);
    bySize.set(key, layers);
    return layers;
  };

  return (index) => {
    const { style, seed, sizePixels, folder, transferSyntaxes } = options;
    const patient = samplePatient(seed, index, style);
    mkdirSync(join(folder, patient.patientId));
    return patient.images.map((image) => {
      const plan = planFilm(patient, image, style, seed, sizePixels);
      const syntax =
        transferSyntaxes[(index * 3 + image.imageIndex) % transferSyntaxes.length] ??
        transferSyntaxes[0];
      if (!syntax) throw new RangeError("No transfer syntax was given.");
      const layers = layersFor(plan.columns, plan.rows);
      renderFilm(layers, patient, image, plan);
      const vendor = syntax.coding === "jpeg-baseline" ? eightBit(plan.vendor) : plan.vendor;
      const stored = storeFilm(layers.total, vendor);
      const file = `${patient.patientId}/study-${image.studyIndex + 1}-image-${image.imageIndex + 1}.dcm`;
      const bytes = phantomFile(patient, image, { ...plan, vendor }, stored, syntax);
      writeFileSync(join(folder, file), bytes, { flag: "wx" });
      return {
        patientId: patient.patientId,
        imageId: phantomUids(plan.seed, image).image,
        file,
        studyDate: image.studyDate,
        ageYears: image.ageYears,
        sex: patient.sex,
        viewPosition: image.viewPosition,
        comorbidityCount: patient.comorbidityCount,
        labels: image.labels,
      };
    });
  };
}

/** JPEG's baseline process holds eight bits: such machines window before they store. */
function eightBit(vendor: Vendor): Vendor {
  return { ...vendor, bitsStored: 8, signed: false, rescaleSlope: 1, windowing: "window" };
}
