import { expose } from "./detector.ts";
import type { Exposure } from "./detector.ts";
import { paintDevices } from "./devices.ts";
import { FINDING_LABELS } from "./findings.ts";
import type { Variation } from "./findings.ts";
import { paintLateral } from "./lateral.ts";
import { clearLayers, composeLayers } from "./layers.ts";
import type { Layers } from "./layers.ts";
import { drawText, textHeight, textWidth } from "./lettering.ts";
import { paintLungs } from "./lungs.ts";
import { paintOpacities } from "./opacities.ts";
import type { PhantomImage, PhantomPatient, PhantomStyle } from "./population.ts";
import { randomStream } from "./random.ts";
import type { RandomStream } from "./random.ts";
import { blurSlightly } from "./raster.ts";
import { paintSkeleton } from "./skeleton.ts";
import { paintSoftTissue } from "./soft-tissue.ts";
import { frontalThorax } from "./thorax.ts";
import type { Positioning } from "./thorax.ts";
import { drawVendor } from "./vendors.ts";
import type { Vendor } from "./vendors.ts";

/** Everything about a film that is decided before it is rendered. */
export interface FilmPlan {
  seed: string;
  vendor: Vendor;
  positioning: Positioning;
  exposure: Exposure;
  columns: number;
  rows: number;
  /** Width of a detector pixel. */
  pixelMillimetres: number;
  /** Blank borders in pixels where the beam was collimated. */
  border: { left: number; right: number; top: number; bottom: number };
  variation: Variation;
}

/**
 * Plans one film: machine, positioning, exposure, format. The oldest get more noise, rotation
 * and shallow breaths, and women a little less contrast, as in practice.
 */
export function planFilm(
  patient: PhantomPatient,
  image: PhantomImage,
  style: PhantomStyle,
  seed: number,
  sizePixels: number,
): FilmPlan {
  const name = ["phantom", style, seed, patient.index] as const;
  const study = randomStream(...name, "study", image.studyIndex);
  const random = randomStream(...name, "film", image.imageIndex);
  const vendor = drawVendor(study, style);
  const aspect = vendor.aspects[random.weighted(vendor.aspects.map(() => 1))] ?? 1;
  const columns = Math.round(sizePixels * Math.min(1, aspect));
  const rows = Math.round(sizePixels * Math.min(1, 1 / aspect));
  const frail = Math.min(1, Math.max(0, (image.ageYears - 60) / 25));
  const bedside = image.viewPosition === "AP";
  const tight = style === "b" ? 0.94 : 1;
  const positioning: Positioning = {
    view: image.viewPosition,
    inspiration: Math.min(
      1,
      Math.max(0.25, 0.93 - 0.14 * Math.abs(random.normal()) - 0.1 * frail - (bedside ? 0.25 : 0)),
    ),
    yaw: random.normal() * (0.028 + 0.04 * frail + (bedside ? 0.035 : 0)),
    roll: random.normal() * (0.012 + 0.02 * frail + (bedside ? 0.02 : 0)),
    shiftX: 0.7 * random.normal(),
    shiftY: 0.6 * random.normal(),
    domeDifference: 0.6 * random.normal(),
    scapulaOverlap: Math.min(1.2, Math.max(0, bedside ? 0.85 : 0.2 + 0.2 * random.normal())),
    margin: tight * (1 + 0.035 * random.normal()),
  };
  const { body } = patient;
  const fieldWidth =
    image.viewPosition === "LL"
      ? 1.12 * body.chestDepth + 2 * body.wallThickness + 9
      : 2 * body.cageHalfWidth + 2 * Math.min(2.6, body.wallThickness) + 2.6;
  const fieldHeight = body.lungHeight + 11.5;
  const pixelCentimetres = positioning.margin * Math.max(fieldWidth / columns, fieldHeight / rows);
  const collimated = random.chance(vendor.collimated);
  const blade = (): number =>
    collimated && random.chance(0.6) ? Math.round(sizePixels * random.between(0.008, 0.035)) : 0;
  return {
    seed: name.join("/"),
    vendor,
    positioning,
    exposure: {
      dose: Math.exp(0.25 * random.normal()) * (1 - 0.45 * frail) * (bedside ? 0.7 : 1),
      falloff: random.between(0.3, 1),
      contrast:
        (1 + 0.05 * random.normal()) *
        (1 - 0.08 * Math.min(1.2, body.breastSize)) *
        (bedside ? 0.93 : 1),
    },
    columns,
    rows,
    pixelMillimetres: 10 * pixelCentimetres,
    border: { left: blade(), right: blade(), top: blade(), bottom: blade() },
    variation: drawVariation(randomStream(...name, "variation", image.imageIndex)),
  };
}

function drawVariation(random: RandomStream): Variation {
  const entries = FINDING_LABELS.map((label) => [label, random.between(-1, 1)]);
  return Object.fromEntries(entries) as Variation;
}

/**
 * Renders a film into `layers.total` as brightness, 0 black to 1 white, before any vendor coding.
 * `layers` must have the plan's columns and rows.
 */
export function renderFilm(
  layers: Layers,
  patient: PhantomPatient,
  image: PhantomImage,
  plan: FilmPlan,
): void {
  const { positioning, columns, rows } = plan;
  const { grid } = layers;
  if (grid.columns !== columns || grid.rows !== rows) {
    throw new RangeError(
      `Layers of ${grid.columns} x ${grid.rows} for a ${columns} x ${rows} film.`,
    );
  }
  clearLayers(layers);
  grid.pixelsPerCentimetre = 10 / plan.pixelMillimetres;
  grid.cosine = Math.cos(positioning.roll);
  grid.sine = Math.sin(positioning.roll);
  grid.originColumn = columns / 2 + positioning.shiftX * grid.pixelsPerCentimetre;
  const chestMiddle = 0.5 * patient.body.lungHeight + 1.2;
  grid.originRow = rows / 2 + (positioning.shiftY - chestMiddle) * grid.pixelsPerCentimetre;
  const filmSeed = `${plan.seed}/${image.imageIndex}`;
  if (positioning.view === "LL") {
    paintLateral(layers, patient.body, positioning, image.findings, plan.seed);
  } else {
    const thorax = frontalThorax(patient.body, positioning, image.findings, plan.variation);
    paintSoftTissue(layers, thorax);
    paintSkeleton(layers, thorax, randomStream(plan.seed, "ribs"));
    paintLungs(layers, thorax, image.findings, plan.seed);
    paintOpacities(layers, thorax, image.findings, plan.variation, plan.seed);
    paintDevices(layers, thorax, randomStream(filmSeed, "devices"));
  }
  composeLayers(layers);
  blurSlightly(layers.total, columns, rows);
  expose(
    layers.total,
    columns,
    rows,
    grid.pixelsPerCentimetre,
    plan.vendor,
    plan.exposure,
    randomStream(filmSeed, "noise"),
  );
  markFilm(layers.total, plan);
}

/** Collimator blades, the side marker and the word SYNTHETIC. */
function markFilm(pixels: Float32Array, plan: FilmPlan): void {
  const { columns, rows, border, positioning } = plan;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (
        row < border.top ||
        row >= rows - border.bottom ||
        column < border.left ||
        column >= columns - border.right
      ) {
        pixels[row * columns + column] = COLLIMATED;
      }
    }
  }
  const size = Math.max(columns, rows);
  const dot = Math.max(1, Math.round(size / 420));
  const margin = Math.round(0.02 * size);
  const text = "SYNTHETIC";
  drawText(
    pixels,
    columns,
    text,
    border.left + margin,
    rows - border.bottom - margin - textHeight(dot),
    dot,
    1,
  );
  const markerDot = Math.max(1, Math.round(size / 190));
  const atRight = columns - border.right - 2 * margin - textWidth("L", markerDot);
  const onPatientsRight = plan.vendor.modality === "CR" && positioning.view !== "LL";
  // the patient's right is on the image's left
  drawText(
    pixels,
    columns,
    onPatientsRight ? "R" : "L",
    onPatientsRight ? border.left + 2 * margin : atRight,
    border.top + 2 * margin,
    markerDot,
    1,
  );
}

/** Marks what the beam did not reach; shown black, stored as the padding value where used. */
export const COLLIMATED = -1;
