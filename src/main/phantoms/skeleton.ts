import type { Layers } from "./layers.ts";
import type { RandomStream } from "./random.ts";
import {
  addPoint,
  BONE,
  CYLINDER,
  drawStroke,
  emptyStroke,
  SOFT,
  smoothStroke,
  WALL,
} from "./raster.ts";
import type { Stroke } from "./raster.ts";
import { lateralBorder, SIDES } from "./thorax.ts";
import type { Thorax } from "./thorax.ts";

/** Ribs, spine, clavicles and scapulae of a frontal film. */
export function paintSkeleton(layers: Layers, thorax: Thorax, random: RandomStream): void {
  paintSpine(layers, thorax);
  for (const side of SIDES) {
    for (let rib = 1; rib <= 12; rib++) paintRib(layers, thorax, side, rib, random);
    paintClavicle(layers, thorax, side);
    paintShoulder(layers, thorax, side);
  }
}

/** Horizontal position of the spine's middle: a gentle double curve. */
export function spineCentre(thorax: Thorax, y: number): number {
  return thorax.body.spineCurve * 0.55 * Math.sin((y / thorax.height) * 4.1 - 0.4);
}

/** Height of the head of a rib, which is that of its vertebra. */
function vertebraHeight(thorax: Thorax, number: number): number {
  return -1.3 + (number - 1) * (thorax.height / 10.2);
}

/**
 * A rib as a flat helix: from the vertebra backwards round the cage to the front, which lies
 * lower. Seen from the front its lateral part runs along the ray and is dense by itself.
 */
function paintRib(
  layers: Layers,
  thorax: Thorax,
  side: -1 | 1,
  rib: number,
  random: RandomStream,
): void {
  const { body, height, positioning } = thorax;
  const lung = side < 0 ? thorax.right : thorax.left;
  const start = vertebraHeight(thorax, rib);
  const slope = body.ribSlope * (1 - 0.16 * (positioning.inspiration - 0.8));
  const fall = slope * Math.min(11.2, 3.3 + 1.75 * (rib - 1)) * (height / 23.5);
  const middle = start + 0.5 * fall;
  const widest = rib === 1 ? 6.0 : rib === 2 ? 8.6 : lateralBorder(lung, height, middle) + 0.15;
  const end = rib <= 10 ? 2.62 - 0.035 * rib : rib === 11 ? 1.5 : 1.1;
  const jitter = 0.12 * random.normal();
  const frontShift = 4 * Math.sin(positioning.yaw);
  const stroke = emptyStroke();
  const points = 22;
  for (let point = 0; point <= points; point++) {
    const angle = 0.16 + ((end - 0.16) * point) / points;
    const front = 0.5 * (1 - Math.cos(angle));
    const across = Math.sin(angle) ** 0.82;
    const rise = rib <= 9 ? -0.75 * Math.sin(Math.min(Math.PI, 2.3 * angle)) * (1 - front) : 0;
    const y = start + fall * front ** 1.12 + rise + jitter;
    const reach = Math.min(widest, y > 0 ? lateralBorder(lung, height, y) + 0.2 : widest);
    const x = side * Math.min(reach, 1.1 + (widest - 1.1) * across) + frontShift * front;
    const halfWidth = body.ribHalfWidth * (rib === 1 ? 1.15 : 1) * (0.86 + 0.34 * front);
    const fade = 1 - Math.max(0, (point - points + 4) / 4.5);
    const alongRay = 1 + 0.5 * Math.max(0, Math.sin(angle)) ** 6;
    addPoint(
      stroke,
      x + spineCentre(thorax, y) * (1 - front),
      y,
      halfWidth,
      body.boneDensity *
        (1.1 - 0.4 * front) *
        alongRay *
        (rib > 10 ? 0.7 : rib === 1 ? 0.85 - 0.55 * front : 1) *
        fade,
    );
  }
  drawStroke(layers.grid, layers.solid, stroke, BONE);
}

function paintSpine(layers: Layers, thorax: Thorax): void {
  const { body, height } = thorax;
  const density = body.boneDensity;
  const column = emptyStroke();
  const spacing = height / 10.2;
  for (let y = -12; y < height + 16; y += 1.5) {
    const halfWidth = 1.55 + 0.018 * Math.max(-5, y);
    addPoint(column, spineCentre(thorax, y), y, halfWidth, 1.15 * density);
  }
  drawStroke(layers.grid, layers.solid, column, CYLINDER);
  for (let number = -3; number <= 16; number++) {
    const y = vertebraHeight(thorax, number) + 0.5;
    const x = spineCentre(thorax, y);
    const halfWidth = 1.5 + 0.018 * Math.max(-5, y);
    // disc: less bone between two dense end plates
    const disc = horizontal(x, y + 0.5 * spacing, halfWidth * 0.95, 0.2, -0.5 * density);
    drawStroke(layers.grid, layers.solid, disc, SOFT);
    for (const offset of [-0.3, 0.3]) {
      const plate = horizontal(x, y + 0.5 * spacing + offset, halfWidth, 0.12, 0.4 * density);
      drawStroke(layers.grid, layers.solid, plate, SOFT);
    }
    for (const side of SIDES) {
      const pedicle = emptyStroke();
      addPoint(pedicle, x + side * 0.92, y - 0.35, 0.42, 0.5 * density);
      addPoint(pedicle, x + side * 0.92, y + 0.1, 0.42, 0.5 * density);
      drawStroke(layers.grid, layers.solid, pedicle, WALL);
      if (number > 0 && number < 11) {
        const process = emptyStroke();
        addPoint(process, x + side * 1.5, y - 0.2, 0.4, 0.55 * density);
        addPoint(process, x + side * 2.8, y - 0.45, 0.42, 0.45 * density);
        drawStroke(layers.grid, layers.solid, process, BONE);
      }
    }
    const spinous = emptyStroke();
    addPoint(spinous, x, y + 0.5, 0.22, 0.8 * density);
    addPoint(spinous, x, y + 1.25, 0.34, 0.8 * density);
    drawStroke(layers.grid, layers.solid, spinous, CYLINDER);
  }
}

function horizontal(
  x: number,
  y: number,
  reach: number,
  halfWidth: number,
  amplitude: number,
): Stroke {
  const stroke = emptyStroke();
  addPoint(stroke, x - reach + halfWidth, y, halfWidth, amplitude);
  addPoint(stroke, x + reach - halfWidth, y, halfWidth, amplitude);
  return stroke;
}

function paintClavicle(layers: Layers, thorax: Thorax, side: -1 | 1): void {
  const { body, positioning, height } = thorax;
  const frontShift = 5 * Math.sin(positioning.yaw);
  const lift = positioning.view === "AP" ? -1.1 : 0;
  const tilt = 0.35 * body.clavicleTilt;
  const amplitude = 1.45 * body.boneDensity;
  const medial = 0.165 * height + lift;
  const scale = body.cageHalfWidth / 13.9;
  // distance from the midline, height above the medial end, half width, share of the turn
  const course = [
    [1.7, 0.1, 1.1, 1],
    [2.7, 0.3, 0.92, 1],
    [5, 1.15, 0.76, 0.9],
    [8, 2.25, 0.68, 0.6],
    [11, 3.35, 0.7, 0.4],
    [13.6, 4.05, 0.82, 0.3],
    [16, 4.1, 0.95, 0.1],
  ] as const;
  const stroke = emptyStroke();
  for (const [distance, above, halfWidth, turn] of course) {
    addPoint(
      stroke,
      frontShift * turn + side * distance * scale,
      medial - above - 0.09 * tilt * distance,
      halfWidth,
      amplitude,
    );
  }
  drawStroke(layers.grid, layers.solid, smoothStroke(stroke, 4), BONE);
}

function paintShoulder(layers: Layers, thorax: Thorax, side: -1 | 1): void {
  const { body, positioning, height } = thorax;
  const inward = 3.2 * positioning.scapulaOverlap;
  const edge = body.cageHalfWidth + 1.6 - inward;
  const density = body.boneDensity;
  const blade = emptyStroke();
  addPoint(blade, side * (edge + 1.6), 0.1 * height, 3.1, 0.6 * density);
  addPoint(blade, side * (edge + 1.1), 0.24 * height, 2.5, 0.55 * density);
  addPoint(blade, side * (edge + 0.5), 0.4 * height, 1.5, 0.55 * density);
  addPoint(blade, side * (edge + 0.2), 0.51 * height, 0.7, 0.5 * density);
  drawStroke(layers.grid, layers.solid, blade, BONE);
  const rim = emptyStroke();
  addPoint(rim, side * (edge + 4.4), 0.13 * height, 0.5, 1.1 * density);
  addPoint(rim, side * (edge + 2.4), 0.32 * height, 0.42, 0.9 * density);
  addPoint(rim, side * (edge + 0.6), 0.51 * height, 0.4, 0.7 * density);
  drawStroke(layers.grid, layers.solid, rim, CYLINDER);
  const spine = emptyStroke();
  addPoint(spine, side * (edge - 0.6), 0.1 * height, 0.35, 0.7 * density);
  addPoint(spine, side * (edge + 3.4), -0.02 * height, 0.55, 1.2 * density);
  drawStroke(layers.grid, layers.solid, spine, CYLINDER);
  const humerus = emptyStroke();
  addPoint(humerus, side * (body.cageHalfWidth + 5.3), 0.08 * height, 2.4, 1.7 * density);
  addPoint(humerus, side * (body.cageHalfWidth + 6.0), 0.16 * height, 1.9, 1.5 * density);
  addPoint(humerus, side * (body.cageHalfWidth + 7.2), 0.5 * height, 1.3, 1.4 * density);
  drawStroke(layers.grid, layers.solid, humerus, CYLINDER);
}
