import type { Layers } from "./layers.ts";
import type { RandomStream } from "./random.ts";
import { addPoint, BONE, CYLINDER, drawStroke, emptyStroke, smoothStroke } from "./raster.ts";
import type { Thorax } from "./thorax.ts";

/** A pacemaker where the patient has one; monitoring leads on bedside films. */
export function paintDevices(layers: Layers, thorax: Thorax, random: RandomStream): void {
  const { body, height, positioning, mediastinalShift } = thorax;
  if (body.pacemaker) {
    const x = 0.62 * body.cageHalfWidth;
    const y = 0.2 * height;
    const generator = emptyStroke();
    addPoint(generator, x - 0.9, y + 0.2, 1.9, 9);
    addPoint(generator, x + 0.9, y - 0.2, 1.9, 9);
    drawStroke(layers.grid, layers.solid, generator, BONE);
    const lead = emptyStroke();
    const heartY = thorax.heartBottom - 2.2;
    addPoint(lead, x - 1.5, y - 1, 0.11, 6);
    addPoint(lead, 4.5, 0.1 * height, 0.11, 6);
    addPoint(lead, 0.6, 0.14 * height, 0.11, 6);
    addPoint(lead, -1.9 + 0.5 * mediastinalShift, 0.3 * height, 0.11, 6);
    addPoint(lead, -2.6 + mediastinalShift, 0.62 * height, 0.11, 6);
    addPoint(lead, -0.6 + mediastinalShift, heartY, 0.11, 6);
    addPoint(lead, 0.26 * thorax.heartWidth + mediastinalShift, heartY + 0.8, 0.13, 7);
    drawStroke(layers.grid, layers.solid, smoothStroke(lead), CYLINDER);
  }
  if (positioning.view !== "AP" || !random.chance(0.7)) return;
  const electrodes = [
    { x: -0.75, y: 0.16 },
    { x: 0.72, y: 0.18 },
    { x: 0.8, y: 0.86 },
  ];
  for (const electrode of electrodes) {
    const x = electrode.x * body.cageHalfWidth + 0.8 * random.normal();
    const y = electrode.y * height + 0.8 * random.normal();
    const button = emptyStroke();
    addPoint(button, x, y, 0.45, 4);
    addPoint(button, x + 0.05, y, 0.45, 4);
    drawStroke(layers.grid, layers.solid, button, BONE);
    const wire = emptyStroke();
    const sag = random.between(1, 3);
    for (let part = 0; part <= 6; part++) {
      const t = part / 6;
      addPoint(
        wire,
        x + t * (electrode.x < 0 ? -4 : 5) * (1 + 0.4 * t),
        y + sag * Math.sin(Math.PI * t) + t * t * (height + 6 - y),
        0.07,
        3.5,
      );
    }
    drawStroke(layers.grid, layers.solid, smoothStroke(wire), CYLINDER);
  }
}
