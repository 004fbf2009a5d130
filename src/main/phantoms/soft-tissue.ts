import type { Layers } from "./layers.ts";
import { clamp01, paintAround, smoothstep } from "./raster.ts";
import { domeHeight, fluidSurface, lateralBorder, medialBorder } from "./thorax.ts";
import type { Hemithorax, Thorax } from "./thorax.ts";

const STEPS = 16; // samples of a table in each centimetre
const TOP = -16;
const TABLE_LENGTH = 72 * STEPS;

/** A function of height or distance, sampled so that the pixel loop only looks up. */
function table(start: number, value: (position: number) => number): Float32Array {
  const values = new Float32Array(TABLE_LENGTH);
  for (let index = 0; index < TABLE_LENGTH; index++) values[index] = value(start + index / STEPS);
  return values;
}

function hemithoraxTables(thorax: Thorax, lung: Hemithorax) {
  return {
    lateral: table(TOP, (y) => lateralBorder(lung, thorax.height, y)),
    dome: table(0, (distance) => domeHeight(lung, distance)),
    fluid: table(0, (distance) => Math.min(1e6, fluidSurface(lung, distance))),
  };
}

/** Body, lungs with their diaphragms and fluid, heart and great vessels of a frontal film. */
export function paintSoftTissue(layers: Layers, thorax: Thorax): void {
  const { grid, solid, air, heart } = layers;
  const { body, height } = thorax;
  const depth = body.chestDepth;
  const right = hemithoraxTables(thorax, thorax.right);
  const left = hemithoraxTables(thorax, thorax.left);
  const medial = table(TOP, (y) => (y < 0 ? 5.4 : medialBorder(height, y)));
  const airDepth = table(TOP, (y) =>
    y <= 0 ? 0 : 0.69 * depth * Math.min(1, Math.sqrt(y / (0.42 * height))),
  );
  const midline = table(
    TOP,
    (y) =>
      0.44 *
      smoothstep(0.2 * height, 0.45 * height, y) *
      smoothstep(0.96 * height, 0.8 * height, y),
  );
  const chestWall = body.cageHalfWidth + body.wallThickness;
  const bodyHalfWidth = table(TOP, (y) => {
    const shoulders = 6 + 22 * smoothstep(-7.2, 1.5, y);
    const chest = chestWall + 0.9 + 0.03 * Math.max(0, y - 10);
    const axilla = smoothstep(0.16 * height, 0.56 * height, y);
    return shoulders + (chest - shoulders) * axilla;
  });
  const bodyDepth = table(TOP, (y) => {
    const neck = 12 + (0.86 * depth - 12) * smoothstep(-7, 0.2 * height, y);
    return neck + (depth - neck) * smoothstep(0.15 * height, 0.45 * height, y);
  });
  const heartAt = cardiacSilhouette(thorax);
  const veilRight = 1 / thorax.right.fluidVeil;
  const veilLeft = 1 / thorax.left.fluidVeil;

  const step = 1 / grid.pixelsPerCentimetre;
  for (let row = 0; row < grid.rows; row++) {
    const v = (row + 0.5 - grid.originRow) * step;
    let u = (0.5 - grid.originColumn) * step;
    let at = row * grid.columns;
    for (let column = 0; column < grid.columns; column++, at++, u += step) {
      const x = grid.cosine * u + grid.sine * v;
      const y = grid.cosine * v - grid.sine * u;
      const distance = x < 0 ? -x : x;
      let iy = ((y - TOP) * STEPS) | 0;
      iy = iy < 0 ? 0 : iy >= TABLE_LENGTH ? TABLE_LENGTH - 1 : iy;
      const edge = distance / (bodyHalfWidth[iy] ?? 1);
      if (edge >= 1) continue;
      const squared = edge * edge;
      solid[at] = (bodyDepth[iy] ?? 0) * Math.sqrt(1 - squared * squared);
      const side = x < 0 ? right : left;
      const border = side.lateral[iy] ?? 1;
      const depthHere = airDepth[iy] ?? 0;
      if (distance >= border || depthHere <= 0) continue;
      const toWall = distance / border;
      const floor = midline[iy] ?? 0;
      const open = (distance - (medial[iy] ?? 0) + 0.6) / 3.6;
      const gap = open <= 0 ? floor : open >= 1 ? 1 : floor + (1 - floor) * Math.sqrt(open);
      let lung = depthHere * Math.sqrt(1 - toWall * toWall * Math.sqrt(toWall)) * gap;
      const ix = (distance * STEPS) | 0;
      const below = y - (side.dome[ix] ?? 0);
      if (below > 0) lung *= below > 4 ? 0 : 1 - (0.45 + 0.55 * Math.sqrt(below / 4));
      const wet = (y - (side.fluid[ix] ?? 0)) * (x < 0 ? veilRight : veilLeft) + 0.8;
      if (wet > 0) lung *= wet >= 1.8 ? 0.02 : 1 - 0.98 * smoothstep(0, 1.8, wet);
      air[at] = lung;
      if (y > 0 && below < 1.5) heart[at] = heartAt(x, y) * (below > 0 ? 1 - below / 1.5 : 1);
    }
  }
  paintBreasts(layers, thorax);
  paintStomach(layers, thorax);
}

interface Ellipsoid {
  x: number;
  y: number;
  halfWidth: number;
  halfHeight: number;
  thickness: number;
  tilt: number;
}

/** Thickness of heart and great vessels at a point: the largest of a few ellipsoids. */
function cardiacSilhouette(thorax: Thorax): (x: number, y: number) => number {
  const { heartWidth: width, heartBottom: bottom, height, mediastinalShift: shift, body } = thorax;
  const tortuosity = body.aorticTortuosity;
  const upper = 0.55 * shift;
  const centre = bottom - 0.36 * width;
  const parts: Ellipsoid[] = [
    // right atrium
    {
      x: shift - 0.1 * width,
      y: centre - 0.03 * width,
      halfWidth: 0.24 * width,
      halfHeight: 0.4 * width,
      thickness: 10,
      tilt: -0.06,
    },
    // left ventricle
    {
      x: shift + 0.19 * width,
      y: centre + 0.03 * width,
      halfWidth: 0.51 * width,
      halfHeight: 0.39 * width,
      thickness: 12.5,
      tilt: 0.55,
    },
    // right ventricle and outflow, joins the two
    {
      x: shift + 0.09 * width,
      y: centre - 0.2 * width,
      halfWidth: 0.3 * width,
      halfHeight: 0.52 * width,
      thickness: 11,
      tilt: -0.3,
    },
    // pulmonary trunk and left appendage
    {
      x: upper + 1.6,
      y: 0.46 * height,
      halfWidth: 2.55,
      halfHeight: 0.16 * height,
      thickness: 5.5,
      tilt: -0.15,
    },
    // aortic arch
    {
      x: upper + 1.55 + 0.5 * tortuosity,
      y: (0.295 - 0.05 * tortuosity) * height,
      halfWidth: 1.9 + 0.45 * tortuosity,
      halfHeight: 2.0 + 0.4 * tortuosity,
      thickness: 5.5,
      tilt: 0,
    },
    // ascending aorta
    {
      x: upper - 1.1 - 0.5 * tortuosity,
      y: 0.4 * height,
      halfWidth: 2.1 + 0.4 * tortuosity,
      halfHeight: 0.19 * height,
      thickness: 5,
      tilt: 0.08,
    },
    // superior vena cava and upper mediastinum
    {
      x: upper - 0.45,
      y: 0.2 * height,
      halfWidth: 2.5 + 0.25 * tortuosity,
      halfHeight: 0.5 * height,
      thickness: 4.6,
      tilt: 0,
    },
  ];
  const count = parts.length;
  const packed = new Float64Array(count * 7);
  parts.forEach((part, index) => {
    packed.set(
      [
        part.x,
        part.y,
        Math.cos(part.tilt),
        Math.sin(part.tilt),
        1 / part.halfWidth,
        1 / part.halfHeight,
        part.thickness,
      ],
      index * 7,
    );
  });
  return (x, y) => {
    let thickest = 0;
    for (let at = 0; at < packed.length; at += 7) {
      const dx = x - (packed[at] ?? 0);
      const dy = y - (packed[at + 1] ?? 0);
      const cosine = packed[at + 2] ?? 1;
      const sine = packed[at + 3] ?? 0;
      const u = (dx * cosine + dy * sine) * (packed[at + 4] ?? 0);
      const v = (dy * cosine - dx * sine) * (packed[at + 5] ?? 0);
      const rest = 1 - u * u - v * v;
      if (rest <= 0) continue;
      const thickness = (packed[at + 6] ?? 0) * Math.sqrt(rest);
      if (thickness > thickest) thickest = thickness;
    }
    return thickest;
  };
}

function paintBreasts(layers: Layers, thorax: Thorax): void {
  const { breastSize } = thorax.body;
  if (breastSize <= 0) return;
  const radiusX = 5.1 + 1.2 * breastSize;
  const radiusY = 3.6 + 1.5 * breastSize;
  for (const side of [-1, 1]) {
    const x = side * (0.6 * thorax.body.cageHalfWidth + 0.3 * breastSize);
    const y = 0.7 * thorax.height + 1.2 * breastSize;
    paintAround(layers.grid, x, y, 2.2 * radiusY, (pixel, dx, dy) => {
      const u = dx / radiusX;
      const v = dy < 0 ? dy / (2.1 * radiusY) : dy / radiusY;
      const rest = 1 - u * u - v * v;
      if (rest <= 0 || (layers.solid[pixel] ?? 0) <= 0) return;
      const fullness = Math.sqrt(rest) * (0.35 + 0.65 * rest);
      layers.solid[pixel] = (layers.solid[pixel] ?? 0) + 4.4 * breastSize * fullness;
    });
  }
}

function paintStomach(layers: Layers, thorax: Thorax): void {
  const size = thorax.body.gastricBubble;
  if (size < 0.2) return;
  const x = 0.42 * thorax.left.halfWidth;
  const halfWidth = 1.6 + 2 * size;
  const halfHeight = 1.1 + 1.3 * size;
  const y = domeHeight(thorax.left, x) + 0.7 + halfHeight;
  const upright = thorax.positioning.view === "PA";
  paintAround(layers.grid, x, y, Math.max(halfWidth, halfHeight), (pixel, dx, dy) => {
    const u = dx / halfWidth;
    const v = dy / halfHeight;
    const rest = 1 - u * u - v * v;
    if (rest <= 0) return;
    const level = upright ? clamp01((0.45 * halfHeight - dy) / 0.25) : 1;
    const gas = 5.5 * Math.sqrt(rest) * level;
    layers.solid[pixel] = Math.max(0, (layers.solid[pixel] ?? 0) - gas);
  });
}
