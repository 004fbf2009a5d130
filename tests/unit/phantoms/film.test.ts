import { describe, expect, it } from "vitest";

import { planFilm, renderFilm } from "../../../src/main/phantoms/film.ts";
import { NO_FINDINGS } from "../../../src/main/phantoms/findings.ts";
import type { FindingLabel, Grade } from "../../../src/main/phantoms/findings.ts";
import { createLayers } from "../../../src/main/phantoms/layers.ts";
import type { Layers } from "../../../src/main/phantoms/layers.ts";
import { samplePatient } from "../../../src/main/phantoms/population.ts";
import type { PhantomImage } from "../../../src/main/phantoms/population.ts";

const GRADES: readonly Grade[] = [0, 1, 2, 3, 4];
const PATIENTS = [0, 1, 2, 3] as const;

function film(index: number, label: FindingLabel, grade: Grade) {
  const patient = samplePatient(11, index, "a");
  const first = patient.images[0];
  if (!first) throw new Error("A patient without an image.");
  const image: PhantomImage = {
    ...first,
    viewPosition: "PA",
    findings: { ...NO_FINDINGS, [label]: grade },
  };
  const plan = planFilm(patient, image, "a", 11, 128);
  const layers = createLayers(plan.columns, plan.rows);
  renderFilm(layers, patient, image, plan);
  return { layers, plan };
}

/** Widest extent of the pixels of a layer above a threshold, over rows in a part of the image. */
function widest(layers: Layers, layer: Float32Array, threshold: number, from: number): number {
  const { columns, rows } = layers.grid;
  let left = columns;
  let right = 0;
  for (let row = Math.floor(from * rows); row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if ((layer[row * columns + column] ?? 0) <= threshold) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
    }
  }
  return right - left;
}

/** Air that is left in one lung, in arbitrary units: side -1 is the image's left half. */
function aeration(layers: Layers, side: -1 | 1): number {
  const { columns } = layers.grid;
  const middle = layers.grid.originColumn;
  let sum = 0;
  for (let at = 0; at < layers.air.length; at++) {
    if (((at % columns) - middle) * side <= 0) continue;
    sum += Math.max(0, layers.air[at] ?? 0) * Math.max(0, 1 - (layers.opacity[at] ?? 0));
  }
  return sum;
}

/** Mean absolute change of the image in the halves left and right of the patient's midline. */
function changeByHalf(a: Layers, b: Layers): { left: number; right: number } {
  const { columns } = a.grid;
  let left = 0;
  let right = 0;
  for (let at = 0; at < a.total.length; at++) {
    const change = Math.abs((a.total[at] ?? 0) - (b.total[at] ?? 0));
    if (at % columns < a.grid.originColumn) left += change;
    else right += change;
  }
  return { left: left / a.total.length, right: right / a.total.length };
}

describe("a phantom film", () => {
  it.each(PATIENTS)("widens the heart with every grade of cardiomegaly (patient %i)", (index) => {
    const ratios = GRADES.map((grade) => {
      const { layers } = film(index, "cardiomegaly", grade);
      return widest(layers, layers.heart, 0.3, 0.5) / widest(layers, layers.air, 0.3, 0.3);
    });
    expect(ratios[0]).toBeGreaterThan(0.36);
    expect(ratios[0]).toBeLessThan(0.51);
    expect(ratios[2]).toBeGreaterThan(0.5);
    for (const grade of [1, 2, 3, 4]) {
      expect(ratios[grade]).toBeGreaterThan((ratios[grade - 1] ?? 1) + 0.005);
    }
  });

  it.each([
    ["pleural_effusion_right", -1],
    ["pleural_effusion_left", 1],
    ["pneumonic_infiltration_right", -1],
    ["pneumonic_infiltration_left", 1],
    ["atelectasis_right", -1],
    ["atelectasis_left", 1],
  ] as const)("shows %s on its side and takes more air with every grade", (label, side) => {
    const films = GRADES.map((grade) => film(2, label, grade).layers);
    const air = films.map((layers) => aeration(layers, side));
    for (const grade of [1, 2, 3, 4]) expect(air[grade]).toBeLessThan(air[grade - 1] ?? 0);
    expect((air[0] ?? 0) - (air[3] ?? 0)).toBeGreaterThan(0.05 * (air[0] ?? 0));
    const [normal, , mild] = films;
    if (!normal || !mild) throw new Error("Films are missing.");
    const { left, right } = changeByHalf(normal, mild);
    if (side < 0) expect(left).toBeGreaterThan(1.5 * right);
    else expect(right).toBeGreaterThan(1.5 * left);
  });

  it("shows an effusion on the patient's right in the image's left half", () => {
    for (const index of PATIENTS) {
      const normal = film(index, "pleural_effusion_right", 0).layers;
      const { left, right } = changeByHalf(normal, film(index, "pleural_effusion_right", 2).layers);
      expect(left).toBeGreaterThan(1.5 * right);
    }
  });

  it("clouds both lungs around the hila with every grade of congestion", () => {
    const clear = GRADES.map((grade) => {
      const { layers } = film(1, "congestion", grade);
      return aeration(layers, -1) + aeration(layers, 1);
    });
    for (const grade of [1, 2, 3, 4]) expect(clear[grade]).toBeLessThan(clear[grade - 1] ?? 0);
  });

  it("is noisier in the oldest than in the young", () => {
    const patient = samplePatient(11, 0, "a");
    const image = patient.images[0];
    if (!image) throw new Error("A patient without an image.");
    const at = (ageYears: number) =>
      planFilm(patient, { ...image, ageYears }, "a", 11, 128).exposure;
    expect(at(88).dose).toBeLessThan(0.8 * at(40).dose);
  });

  it("renders the same film again", () => {
    const first = film(3, "congestion", 2).layers.total;
    expect(film(3, "congestion", 2).layers.total).toEqual(first);
  });
});
