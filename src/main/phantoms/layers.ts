import { createGrid } from "./raster.ts";
import type { Grid } from "./raster.ts";

/** The layers that a film is composed of, in centimetres of soft tissue; reused between films. */
export interface Layers {
  grid: Grid;
  /** Soft tissue and bone along the ray, as if there were no lung. */
  solid: Float32Array;
  /** Air in the healthy lung along the ray. */
  air: Float32Array;
  /** Heart and great vessels: what they displace of the lung. */
  heart: Float32Array;
  /** Pulmonary vessels and interstitium: what they displace of the lung. */
  vessels: Float32Array;
  /** The part of the air that disease has replaced, 0 to 1. */
  opacity: Float32Array;
  /** Noise that breaks up an opacity. */
  texture: Float32Array;
  /** The sum: centimetres of soft tissue that weaken the beam alike. */
  total: Float32Array;
}

export function createLayers(columns: number, rows: number): Layers {
  const layer = (): Float32Array => new Float32Array(columns * rows);
  return {
    grid: createGrid(columns, rows, 1),
    solid: layer(),
    air: layer(),
    heart: layer(),
    vessels: layer(),
    opacity: layer(),
    texture: layer(),
    total: layer(),
  };
}

/** Share of soft tissue's attenuation that inflated lung lacks. */
const AIR_CONTRAST = 0.74;

/** Empties the layers that a film adds to. */
export function clearLayers(layers: Layers): void {
  for (const layer of [layers.solid, layers.air, layers.heart, layers.vessels, layers.opacity]) {
    layer.fill(0);
  }
}

/** Adds the layers up along the ray. */
export function composeLayers(layers: Layers): void {
  const { solid, air, heart, vessels, opacity, total } = layers;
  for (let at = 0; at < total.length; at++) {
    const breath = air[at] ?? 0;
    // vessels and their texture thin out where the lung does
    const depth = breath > 4 ? 1 : 0.25 * breath;
    let lung = breath - (heart[at] ?? 0) - depth * (vessels[at] ?? 0);
    if (lung < 0) lung = 0;
    let clear = 1 - (opacity[at] ?? 0);
    clear = clear < 0 ? 0 : clear > 1 ? 1 : clear;
    const sum = (solid[at] ?? 0) - AIR_CONTRAST * lung * clear;
    total[at] = sum < 0 ? 0 : sum;
  }
}
