import { gradedMeasure } from "./findings.ts";
import type { Findings, Grade, Variation } from "./findings.ts";
import type { Layers } from "./layers.ts";
import { randomStream } from "./random.ts";
import type { RandomStream } from "./random.ts";
import {
  addLatticeNoise,
  addPoint,
  clamp01,
  CYLINDER,
  drawStroke,
  emptyStroke,
  paintAround,
  smoothStroke,
  smoothstep,
  SOFT,
} from "./raster.ts";
import { anglePosition, domeHeight, lateralBorder } from "./thorax.ts";
import type { Hemithorax, Thorax } from "./thorax.ts";

/** Congestion, infiltration and atelectasis as they replace air (effusion belongs to the fluid). */
export function paintOpacities(
  layers: Layers,
  thorax: Thorax,
  findings: Findings,
  variation: Variation,
  seed: string,
): void {
  const infiltrates = [findings.pneumonic_infiltration_right, findings.pneumonic_infiltration_left];
  if (infiltrates.some((grade) => grade > 0)) {
    const random = randomStream(seed, "patches");
    layers.texture.fill(0.9);
    addLatticeNoise(layers.grid, layers.texture, 0.45, 0.12, random);
    addLatticeNoise(layers.grid, layers.texture, 0.95, 0.2, random);
    addLatticeNoise(layers.grid, layers.texture, 2.3, 0.3, random);
  }
  for (const lung of [thorax.right, thorax.left]) {
    const right = lung.side < 0;
    const infiltration = right ? "pneumonic_infiltration_right" : "pneumonic_infiltration_left";
    const atelectasis = right ? "atelectasis_right" : "atelectasis_left";
    paintCongestion(
      layers,
      thorax,
      lung,
      { grade: findings.congestion, variation: variation.congestion },
      randomStream(seed, "congestion", lung.side),
    );
    paintInfiltration(
      layers,
      thorax,
      lung,
      { grade: findings[infiltration], variation: variation[infiltration] },
      randomStream(seed, "infiltration", lung.side),
    );
    paintAtelectasis(
      layers,
      lung,
      { grade: findings[atelectasis], variation: variation[atelectasis] },
      randomStream(seed, "atelectasis", lung.side),
    );
  }
}

/** A finding's grade and where its signs lie inside that grade. */
interface Severity {
  grade: Grade;
  variation: number;
}

/** Haze around the hila and towards the bases, and septal lines once oedema is interstitial. */
function paintCongestion(
  layers: Layers,
  thorax: Thorax,
  lung: Hemithorax,
  { grade, variation }: Severity,
  random: RandomStream,
): void {
  if (grade === 0) return;
  const { height } = thorax;
  const strength = gradedMeasure([0, 0.05, 0.14, 0.25, 0.38], grade, variation);
  const x = lung.hilumX + 1.2 * lung.side;
  const y = lung.hilumY + 0.06 * height;
  paintAround(layers.grid, x, y, 11, (pixel, dx, dy) => {
    const haze = Math.exp(-(dx * dx) / 20 - (dy * dy) / (dy > 0 ? 52 : 30));
    layers.opacity[pixel] = (layers.opacity[pixel] ?? 0) + strength * haze;
  });
  if (grade < 2) return;
  const lines = 3 * grade;
  for (let line = 0; line < lines; line++) {
    const lineY = anglePosition(lung) - random.between(0.8, 7);
    const wall = lateralBorder(lung, height, lineY) - 0.15;
    const reach = random.between(0.9, 2.1);
    const stroke = emptyStroke();
    addPoint(stroke, lung.side * wall, lineY, 0.07, 1.6);
    addPoint(stroke, lung.side * (wall - reach), lineY + random.between(-0.25, 0.15), 0.05, 1.1);
    drawStroke(layers.grid, layers.vessels, stroke, CYLINDER);
  }
}

/** Patchy, ill-defined consolidation with air in the bronchi that cross it. */
function paintInfiltration(
  layers: Layers,
  thorax: Thorax,
  lung: Hemithorax,
  { grade, variation }: Severity,
  random: RandomStream,
): void {
  // drawn whatever the grade, so that a patient's patches grow in place
  const lowerZone = random.chance(0.68);
  const firstY =
    thorax.height * (lowerZone ? random.between(0.58, 0.8) : random.between(0.26, 0.5));
  const firstX = random.between(0.42, 0.68) * lung.halfWidth;
  if (grade === 0) return;
  const patches = Math.round(gradedMeasure([0, 1, 3, 4, 6], grade, variation));
  const radius = gradedMeasure([0, 1.8, 2.8, 3.7, 4.5], grade, variation);
  const strength = gradedMeasure([0, 0.26, 0.46, 0.57, 0.67], grade, variation);
  for (let patch = 0; patch < patches; patch++) {
    const spread = patch === 0 ? 0 : 0.85 * radius;
    const x =
      lung.side * Math.max(3.2, Math.min(lung.halfWidth - 1.2, firstX + spread * random.normal()));
    const y = Math.max(2, firstY + 0.9 * spread * random.normal());
    const size = radius * random.between(0.75, 1.15) * (patch === 0 ? 1 : 0.85);
    const squeeze = random.between(0.75, 1.3);
    const falloff = 1 / (size * size);
    paintAround(layers.grid, x, y, 1.9 * size, (pixel, dx, dy) => {
      const squared = (dx * dx * squeeze + (dy * dy) / squeeze) * falloff;
      if (squared > 3.2) return;
      const body = Math.exp(-1.05 * squared) * (layers.texture[pixel] ?? 0);
      const amount = strength * smoothstep(0.05, 1, body);
      const before = layers.opacity[pixel] ?? 0;
      layers.opacity[pixel] = before + amount * (1 - clamp01(1.25 * before));
    });
    if (grade >= 2) paintBronchogram(layers, lung, x, y, size, random);
  }
}

function paintBronchogram(
  layers: Layers,
  lung: Hemithorax,
  x: number,
  y: number,
  size: number,
  random: RandomStream,
): void {
  const away = Math.atan2(y - lung.hilumY, x - lung.hilumX);
  for (let branch = -1; branch <= 1; branch++) {
    const angle = away + 0.45 * branch + 0.15 * random.normal();
    const stroke = emptyStroke();
    addPoint(stroke, x - 0.5 * size * Math.cos(away), y - 0.5 * size * Math.sin(away), 0.2, 0);
    addPoint(stroke, x, y + 0.1 * random.normal(), 0.22, -0.1);
    addPoint(stroke, x + 0.6 * size * Math.cos(angle), y + 0.6 * size * Math.sin(angle), 0.1, 0);
    drawStroke(layers.grid, layers.opacity, smoothStroke(stroke), SOFT);
  }
}

/** Plates above the diaphragm; from grade 3 also the wedge of a lower lobe that lost volume. */
function paintAtelectasis(
  layers: Layers,
  lung: Hemithorax,
  { grade, variation }: Severity,
  random: RandomStream,
): void {
  const plates = [
    {
      x: random.between(0.35, 0.5),
      above: random.between(1.6, 2.6),
      tilt: random.between(-0.3, 0.1),
    },
    {
      x: random.between(0.5, 0.66),
      above: random.between(3.4, 4.8),
      tilt: random.between(-0.25, 0.25),
    },
    {
      x: random.between(0.4, 0.6),
      above: random.between(5.6, 7.4),
      tilt: random.between(-0.4, 0.1),
    },
  ];
  if (grade === 0) return;
  const count = [0, 1, 2, 3, 3][grade] ?? 0;
  const strength = gradedMeasure([0, 0.26, 0.43, 0.52, 0.6], grade, variation);
  const reach = gradedMeasure([0, 1.6, 3.3, 3.7, 3.9], grade, variation);
  const halfWidth = gradedMeasure([0, 0.22, 0.38, 0.48, 0.55], grade, variation);
  for (const plate of plates.slice(0, count)) {
    const distance = plate.x * lung.halfWidth;
    const y = domeHeight(lung, distance) - plate.above;
    const stroke = emptyStroke();
    for (let part = -2; part <= 2; part++) {
      const along = (part / 2) * reach;
      const taper = 1 - 0.18 * part * part;
      addPoint(
        stroke,
        lung.side * (distance + along),
        y + along * plate.tilt + 0.06 * part * part,
        halfWidth * (0.6 + 0.4 * taper),
        strength * (0.45 + 0.55 * taper),
      );
    }
    drawStroke(layers.grid, layers.opacity, smoothStroke(stroke), SOFT);
  }
  if (grade < 2) return;
  const dense = gradedMeasure([0, 0, 0.16, 0.42, 0.72], grade, variation);
  const top = lung.hilumY + (grade === 4 ? 1.2 : 2.6);
  const bottom = anglePosition(lung);
  const centreY = 0.5 * (top + bottom);
  const width = gradedMeasure([0, 0, 4.5, 5.5, 6.5], grade, variation);
  paintAround(layers.grid, 0.35 * lung.halfWidth * lung.side, centreY, 11, (pixel, dx, dy) => {
    const y = centreY + dy;
    const distance = 0.35 * lung.halfWidth + dx * lung.side;
    if (distance < 0 || y < top - 1) return;
    const down = clamp01((y - top) / (bottom - top));
    const edge = 2.2 + width * down;
    const inside = smoothstep(edge + 0.5, edge - 0.9, distance) * smoothstep(top - 1, top + 2.5, y);
    if (inside <= 0) return;
    layers.opacity[pixel] = (layers.opacity[pixel] ?? 0) + dense * inside;
  });
}
