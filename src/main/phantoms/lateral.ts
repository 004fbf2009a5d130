import type { Findings } from "./findings.ts";
import type { Layers } from "./layers.ts";
import type { Body } from "./population.ts";
import { randomStream } from "./random.ts";
import {
  addLatticeNoise,
  addPoint,
  BONE,
  clamp01,
  CYLINDER,
  drawStroke,
  emptyStroke,
  paintAround,
  smoothstep,
  SOFT,
} from "./raster.ts";
import type { Positioning } from "./thorax.ts";

/**
 * A left lateral film: the patient faces the image's left. x is front (negative) to back, y is
 * down from the apex, in centimetres.
 */
export function paintLateral(
  layers: Layers,
  body: Body,
  positioning: Positioning,
  findings: Findings,
  seed: string,
): void {
  const { grid, solid, air, heart } = layers;
  const height = body.lungHeight - 4.2 * (1 - positioning.inspiration);
  const half = 0.56 * body.chestDepth;
  const width = 1.55 * body.cageHalfWidth;
  const kyphosis = 0.8 + 0.9 * body.aorticTortuosity;
  const front = (y: number): number =>
    -half * (0.42 + 0.58 * smoothstep(-1, 0.55 * height, y)) + 0.02 * y;
  const back = (y: number): number =>
    half * (0.76 + 0.24 * Math.sin(Math.PI * clamp01((y + 4) / 26)));
  const dome = (x: number, raise: number): number => {
    const u = (x + 0.25 * half) / half;
    return height - raise + 0.4 + (u > 0 ? 5.2 * u ** 2.1 : 1.6 * u * u);
  };
  const raiseRight = 0.9 * findings.atelectasis_right;
  const raiseLeft = 0.9 * findings.atelectasis_left - 1.2;
  const fluid = Math.max(findings.pleural_effusion_right, findings.pleural_effusion_left);
  const fluidTop = height + 5 - ([0, 1, 3.4, 6.2, 9.5][fluid] ?? 0);
  const heartSize = 1 + 0.09 * findings.cardiomegaly;
  const heartX = -0.32 * half;
  const heartY = height - 4.6;

  const step = 1 / grid.pixelsPerCentimetre;
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const u = (column + 0.5 - grid.originColumn) * step;
      const v = (row + 0.5 - grid.originRow) * step;
      const x = grid.cosine * u + grid.sine * v;
      const y = grid.cosine * v - grid.sine * u;
      const at = row * grid.columns + column;
      const pleuraFront = front(y);
      const pleuraBack = back(y);
      const wall = body.wallThickness + 0.8;
      const skinFront = pleuraFront - wall - 1.1 * body.breastSize * bump(y, 0.6 * height, 5);
      const skinBack = pleuraBack + wall + 1.4;
      const middle = 0.5 * (skinFront + skinBack);
      const edge = (x - middle) / (0.5 * (skinBack - skinFront));
      if (edge <= -1 || edge >= 1) continue;
      const shoulders = 1 + 0.35 * bump(y, 0.5, 4);
      solid[at] = width * 0.95 * shoulders * Math.sqrt(1 - edge ** 4);
      const inside = (x - 0.5 * (pleuraFront + pleuraBack)) / (0.5 * (pleuraBack - pleuraFront));
      if (y <= 0 || inside <= -1 || inside >= 1) continue;
      const apex = Math.min(1, Math.sqrt(y / 8));
      let lung = 0.66 * width * apex * Math.sqrt(1 - inside ** 4);
      const below = 0.5 * (under(y - dome(x, raiseRight)) + under(y - dome(x, raiseLeft)));
      lung *= 1 - below;
      const meniscus = fluidTop + 1.6 * (1 - inside * inside) - (fluid === 0 ? -99 : 0);
      if (fluid > 0 && y > meniscus - 0.8) lung *= 1 - 0.62 * clamp01((y - meniscus + 0.8) / 1.6);
      air[at] = lung;
      const dx = (x - heartX) / (0.5 * half * heartSize);
      const dy = (y - heartY) / (5.2 * heartSize);
      const tilted = dx * dx + dy * dy + 0.5 * dx * dy;
      const cardiac = tilted < 1 ? 9.5 * Math.sqrt(1 - tilted) : 0;
      const ax = (x + 0.05 * half) / 2.4;
      const ay = (y - 0.32 * height) / 3.2;
      const arch = ax * ax + ay * ay;
      heart[at] = Math.max(cardiac, arch < 1 ? 3.8 * Math.sqrt(1 - arch) : 0);
    }
  }
  paintLateralSkeleton(layers, body, height, half, kyphosis, front, back);
  const trachea = emptyStroke();
  addPoint(trachea, -0.1 * half, -7, 0.85, -2.2);
  addPoint(trachea, 0.08 * half, 0.38 * height, 0.85, -2);
  drawStroke(grid, solid, trachea, CYLINDER);
  const random = randomStream(seed, "lateral");
  paintAround(grid, 0.1 * half, 0.42 * height, 6, (pixel, dx, dy) => {
    const hilum = (2.5 + 0.5 * findings.congestion) * Math.exp(-(dx * dx + 0.6 * dy * dy) / 4);
    layers.vessels[pixel] = (layers.vessels[pixel] ?? 0) + hilum;
  });
  for (let branch = 0; branch < 70; branch++) {
    const angle = random.between(0, 2 * Math.PI);
    const vessel = emptyStroke();
    const bend = 0.3 * random.normal();
    for (let part = 0; part <= 3; part++) {
      const along = 1 + part * random.between(1.2, 2.4);
      const heading = angle + (bend * part) / 3;
      const x = 0.1 * half + along * Math.cos(heading);
      addPoint(
        vessel,
        x,
        0.42 * height + 1.2 * along * Math.sin(heading),
        0.28 - 0.06 * part,
        0.6 - 0.12 * part,
      );
    }
    drawStroke(grid, layers.vessels, vessel, CYLINDER);
  }
  addLatticeNoise(grid, layers.vessels, 0.4, 0.25 + 0.08 * findings.congestion, random);
  addLatticeNoise(grid, layers.vessels, 1, 0.3, random);
  for (const grade of [
    findings.pneumonic_infiltration_right,
    findings.pneumonic_infiltration_left,
  ]) {
    const x = random.between(-0.3, 0.5) * half;
    const y = random.between(0.4, 0.85) * height;
    if (grade === 0) continue;
    const size = 1.2 + 0.7 * grade;
    paintAround(grid, x, y, 2.2 * size, (pixel, dx, dy) => {
      const amount = (0.12 + 0.08 * grade) * Math.exp(-(dx * dx + dy * dy) / (size * size));
      layers.opacity[pixel] = (layers.opacity[pixel] ?? 0) + amount;
    });
  }
}

function under(depth: number): number {
  if (depth <= 0) return 0;
  return depth > 3 ? 1 : 0.35 + 0.65 * Math.sqrt(depth / 3);
}

function bump(value: number, centre: number, reach: number): number {
  return Math.exp(-(((value - centre) / reach) ** 2));
}

function paintLateralSkeleton(
  layers: Layers,
  body: Body,
  height: number,
  half: number,
  kyphosis: number,
  front: (y: number) => number,
  back: (y: number) => number,
): void {
  const { grid, solid } = layers;
  const spine = (y: number): number =>
    back(y) - 2.1 - 0.4 * kyphosis + 0.35 * kyphosis * Math.sin(Math.PI * clamp01(y / height));
  const spacing = height / 10.2;
  for (let number = -2; number < 15; number++) {
    const y = -1 + number * spacing;
    const vertebra = emptyStroke();
    addPoint(vertebra, spine(y) - 0.75, y, 0.4 * spacing, 1.9 * body.boneDensity);
    addPoint(vertebra, spine(y) + 0.75, y, 0.4 * spacing, 1.9 * body.boneDensity);
    drawStroke(grid, solid, vertebra, BONE);
    const process = emptyStroke();
    addPoint(process, spine(y) + 1.3, y + 0.2, 0.45, 1.2 * body.boneDensity);
    addPoint(process, spine(y) + 3, y + 1.6, 0.3, 0.8 * body.boneDensity);
    drawStroke(grid, solid, process, BONE);
  }
  const sternum = emptyStroke();
  for (let part = 0; part <= 6; part++) {
    const y = 0.08 * height + (0.55 * height * part) / 6;
    addPoint(sternum, front(y) - 0.4, y, 0.55, 1.5 * body.boneDensity);
  }
  drawStroke(grid, solid, sternum, BONE);
  for (let rib = 1; rib <= 10; rib++) {
    for (const offset of [0, 0.55]) {
      const stroke = emptyStroke();
      const start = -1.3 + (rib - 1) * spacing + offset;
      const fall = Math.min(11, 4 + 1.3 * rib);
      for (let part = 0; part <= 8; part++) {
        const t = part / 8;
        const y = start + fall * t ** 1.3;
        const x = (1 - t) * (back(y) - 0.3) + t * (front(y) + 2.5);
        addPoint(stroke, x, y, body.ribHalfWidth, body.boneDensity * Math.max(0, 0.55 - 0.5 * t));
      }
      drawStroke(grid, solid, stroke, BONE);
    }
  }
  const shoulder = emptyStroke();
  addPoint(shoulder, 0.2 * half, -3, 3.2, 3);
  addPoint(shoulder, 0.55 * half, 0.12 * height, 2.6, 2);
  drawStroke(grid, solid, shoulder, SOFT);
}
