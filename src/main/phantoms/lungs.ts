import type { Findings } from "./findings.ts";
import type { Layers } from "./layers.ts";
import { randomStream } from "./random.ts";
import type { RandomStream } from "./random.ts";
import {
  addLatticeNoise,
  addPoint,
  CYLINDER,
  drawStroke,
  emptyStroke,
  paintAround,
  WALL,
} from "./raster.ts";
import { domeHeight, lateralBorder } from "./thorax.ts";
import type { Hemithorax, Thorax } from "./thorax.ts";

/** Airways, hila, pulmonary vessels and the fine texture of the lung. */
export function paintLungs(layers: Layers, thorax: Thorax, findings: Findings, seed: string): void {
  const congestion = findings.congestion;
  paintAirways(layers, thorax);
  for (const lung of [thorax.right, thorax.left]) {
    const random = randomStream(seed, "vessels", lung.side);
    const size = 1.25 + 0.14 * congestion;
    const strength = (lung.side < 0 ? 2.7 : 2.4) * (1 + 0.16 * congestion);
    paintAround(layers.grid, lung.hilumX, lung.hilumY, 3 * size, (pixel, dx, dy) => {
      const squared = (dx * dx) / (size * size) + (dy * dy) / (3 * size * size);
      layers.vessels[pixel] = (layers.vessels[pixel] ?? 0) + strength * Math.exp(-1.1 * squared);
    });
    growVessels(layers, thorax, lung, congestion, random);
  }
  paintDescendingAorta(layers, thorax);
  const texture = randomStream(seed, "texture");
  const interstitium = 0.16 + 0.075 * congestion;
  addLatticeNoise(layers.grid, layers.vessels, 0.32, 1.1 * interstitium, texture);
  addLatticeNoise(layers.grid, layers.vessels, 0.75, 1.3 * interstitium, texture);
  addLatticeNoise(layers.grid, layers.vessels, 2.6, 0.28, texture);
}

function paintAirways(layers: Layers, thorax: Thorax): void {
  const { height, mediastinalShift: shift } = thorax;
  const carina = 0.37 * height;
  const drift = 0.5 * shift;
  const trachea = emptyStroke();
  addPoint(trachea, 0, -9, 0.85, -2.2);
  addPoint(trachea, 0.25 * drift, 0, 0.85, -2.2);
  addPoint(trachea, 0.7 * drift - 0.35, 0.24 * height, 0.85, -2.2);
  addPoint(trachea, drift - 0.2, carina, 0.95, -1.2);
  drawStroke(layers.grid, layers.solid, trachea, CYLINDER);
  for (const lung of [thorax.right, thorax.left]) {
    const bronchus = emptyStroke();
    addPoint(bronchus, drift - 0.2, carina - 0.2, 0.7, -0.5);
    addPoint(bronchus, 0.62 * lung.hilumX, carina + (lung.side < 0 ? 2 : 1.5), 0.6, -1.7);
    addPoint(bronchus, lung.hilumX, lung.hilumY + 0.9, 0.45, -0.7);
    drawStroke(layers.grid, layers.solid, bronchus, CYLINDER);
  }
}

function paintDescendingAorta(layers: Layers, thorax: Thorax): void {
  const { height, body, mediastinalShift } = thorax;
  const bow = 1.4 * body.aorticTortuosity ** 2;
  const aorta = emptyStroke();
  for (let part = 0; part <= 6; part++) {
    const t = part / 6;
    const x = 1.75 + 0.35 * mediastinalShift * (1 - t) - 0.9 * t + bow * Math.sin(Math.PI * t);
    addPoint(aorta, x, (0.28 + 0.82 * t) * height, 1.25 + 0.2 * body.aorticTortuosity, 2.4);
  }
  drawStroke(layers.grid, layers.vessels, aorta, CYLINDER);
}

/**
 * Vessels branch from the hilum towards the pleura and thin out before it. Upright, the lower
 * ones are wider; with congestion the upper ones catch up.
 */
function growVessels(
  layers: Layers,
  thorax: Thorax,
  lung: Hemithorax,
  congestion: number,
  random: RandomStream,
): void {
  const { height } = thorax;
  const scale = height / 23.5;
  const grow = (x: number, y: number, angle: number, radius: number, order: number): void => {
    const up = Math.max(0, Math.min(1, (lung.hilumY + 2 - y) / (0.4 * height)));
    const filling = 1 + congestion * (0.05 + 0.17 * up) - 0.22 * up;
    const stroke = emptyStroke();
    const strength = 3.6 * radius * filling;
    addPoint(stroke, x, y, radius * filling, strength);
    const length = (order === 0 ? 3 : 2.7) * 0.9 ** order * random.between(0.75, 1.25) * scale;
    let heading = angle;
    let px = x;
    let py = y;
    for (let part = 1; part <= 2; part++) {
      heading += 0.16 * random.normal();
      px += lung.side * Math.cos(heading) * length * 0.5;
      py += Math.sin(heading) * length * 0.5;
      const width = radius * (1 - 0.11 * part);
      addPoint(stroke, px, py, width * filling, 3.6 * width * filling);
    }
    drawStroke(layers.grid, layers.vessels, stroke, CYLINDER);
    const distance = px * lung.side;
    if (order >= 5 || distance < 2 || py < 0.8) return;
    if (distance > lateralBorder(lung, height, py) - 0.9) return;
    if (py > domeHeight(lung, distance) + 1) return;
    const spread = random.between(0.28, 0.5);
    grow(px, py, heading + spread, radius * random.between(0.66, 0.8), order + 1);
    grow(
      px,
      py,
      heading - spread * random.between(0.7, 1.1),
      radius * random.between(0.62, 0.78),
      order + 1,
    );
    if (order === 1 && random.chance(0.3)) {
      grow(px, py, heading, radius * 0.6, order + 2);
    }
  };
  const branches = 9;
  for (let branch = 0; branch < branches; branch++) {
    const angle = -1.35 + (2.75 * (branch + 0.5 * random.uniform())) / (branches - 1);
    const radius = (0.3 + 0.1 * Math.max(0, Math.sin(angle))) * random.between(0.85, 1.15);
    grow(
      lung.hilumX + lung.side * random.between(-0.4, 0.5),
      lung.hilumY + 0.9 * Math.sin(angle) + 0.3 * random.normal(),
      angle,
      radius,
      0,
    );
  }
  // bronchi seen end on beside the hilum
  for (let ring = 0; ring < 2; ring++) {
    const stroke = emptyStroke();
    const x = lung.hilumX + lung.side * random.between(1.2, 2.6);
    const y = lung.hilumY + random.between(-2, 1);
    const radius = 0.3 + 0.05 * congestion;
    addPoint(stroke, x, y, radius, 0.5 + 0.22 * congestion);
    addPoint(stroke, x + 0.01, y, radius, 0.5 + 0.22 * congestion);
    drawStroke(layers.grid, layers.vessels, stroke, WALL);
  }
}
