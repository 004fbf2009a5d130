import { gradedMeasure } from "./findings.ts";
import type { FindingLabel, Findings, Variation } from "./findings.ts";
import type { Body } from "./population.ts";
import { clamp01, smoothstep } from "./raster.ts";

/** How one film was taken; lengths in centimetres, angles in radians. */
export interface Positioning {
  view: "PA" | "AP" | "LL";
  /** 0 poor to 1 full inspiration. */
  inspiration: number;
  /** Turn about the long axis: the front of the chest moves by its sine. */
  yaw: number;
  /** Tilt in the image plane. */
  roll: number;
  shiftX: number;
  shiftY: number;
  /** How much lower than usual the left dome stands. */
  domeDifference: number;
  /** Scapulae over the lungs: 0 turned out, 1 fully over. */
  scapulaOverlap: number;
  /** How far the cassette extends beyond the chest, 1 is usual. */
  margin: number;
}

export const SIDES = [-1, 1] as const;
/** -1 is the patient's right (the image's left), 1 the patient's left. */
export type Side = (typeof SIDES)[number];

/** One hemithorax with its findings. */
export interface Hemithorax {
  side: Side;
  /** Lateral inner border where the cage is widest. */
  halfWidth: number;
  domeTop: number;
  /** Height of the lateral fluid level above the costophrenic angle; 0 without fluid. */
  fluidHeight: number;
  /** Softness of the fluid's upper edge. */
  fluidVeil: number;
  hilumX: number;
  hilumY: number;
}

/** The measures of one frontal film, in centimetres; y 0 is the apex of the lung. */
export interface Thorax {
  body: Body;
  positioning: Positioning;
  right: Hemithorax;
  left: Hemithorax;
  /** Horizontal shift of the mediastinum by volume loss, effusion and rotation. */
  mediastinalShift: number;
  heartWidth: number;
  heartBottom: number;
  /** Lung height in this film; most landmarks scale with it. */
  height: number;
}

const HEART_RATIO_BY_GRADE = [0, 0.505, 0.545, 0.6, 0.67] as const;
const FLUID_HEIGHT_BY_GRADE = [0, 1, 3.7, 7.2, 11.8] as const;
const DOME_RAISE_BY_GRADE = [0, 0.3, 1.1, 2.1, 3.5] as const;
const VOLUME_SHIFT_BY_GRADE = [0, 0, 0.35, 0.9, 1.8] as const;

/**
 * The geometry of a frontal film from the body, the positioning and the findings.
 */
export function frontalThorax(
  body: Body,
  positioning: Positioning,
  findings: Findings,
  variation: Variation,
): Thorax {
  const supine = positioning.view === "AP";
  const height = body.lungHeight - 4.2 * (1 - positioning.inspiration);
  const measure = (steps: readonly number[], label: FindingLabel): number =>
    gradedMeasure(steps, findings[label], variation[label]);
  const raiseRight = measure(DOME_RAISE_BY_GRADE, "atelectasis_right");
  const raiseLeft = measure(DOME_RAISE_BY_GRADE, "atelectasis_left");
  const pull = (grade: number): number => VOLUME_SHIFT_BY_GRADE[grade] ?? 0;
  const push = (grade: number): number => (grade === 4 ? 1.4 : grade === 3 ? 0.4 : 0);
  const shift =
    pull(findings.atelectasis_left) -
    pull(findings.atelectasis_right) +
    push(findings.pleural_effusion_right) -
    push(findings.pleural_effusion_left);
  const mediastinalShift = shift + 5 * Math.sin(positioning.yaw);
  const healthyRatio = body.cardiothoracicRatio + 0.03 * (1 - positioning.inspiration);
  const gradedRatio = measure([healthyRatio, ...HEART_RATIO_BY_GRADE.slice(1)], "cardiomegaly");
  const magnification = supine ? 1.1 : 1;
  const hemithorax = (side: Side): Hemithorax => {
    const right = side < 0;
    const fluid = right ? "pleural_effusion_right" : "pleural_effusion_left";
    const raise = right ? raiseRight : raiseLeft;
    return {
      side,
      halfWidth: body.cageHalfWidth * (1 - 0.35 * side * Math.sin(positioning.yaw)),
      domeTop: height - raise + (right ? 0 : 1.3 + positioning.domeDifference),
      fluidHeight: measure(FLUID_HEIGHT_BY_GRADE, fluid),
      fluidVeil: supine ? 3.2 : 1.1,
      hilumX: (right ? -3.5 : 3.7) + 0.7 * mediastinalShift,
      hilumY: height * (right ? 0.475 : 0.43) - 0.4 * raise,
    };
  };
  return {
    body,
    positioning,
    right: hemithorax(-1),
    left: hemithorax(1),
    mediastinalShift,
    heartWidth: gradedRatio * magnification * 2 * body.cageHalfWidth,
    heartBottom: height + 1.6 - 0.4 * (raiseLeft + raiseRight),
    height,
  };
}

/** Lateral inner border of the cage (distance from the midline) at height y. */
export function lateralBorder(lung: Hemithorax, height: number, y: number): number {
  const apexX = 5.4;
  const widest = height * 0.86;
  const t = clamp01(y / widest);
  const rise = (1 - (1 - t) ** 2.5) ** 0.62;
  const flare = y > widest ? -0.02 * (y - widest) ** 1.5 : 0;
  return apexX + (lung.halfWidth - apexX) * rise + flare;
}

/** Medial border of the lung at height y. */
export function medialBorder(height: number, y: number): number {
  const apexX = 5.4;
  const t = clamp01(y / (0.2 * height));
  return apexX - (apexX - 2.1) * Math.sqrt(t) - 0.3 * smoothstep(0.2 * height, height, y);
}

/** Height of the diaphragm at a distance from the midline. */
export function domeHeight(lung: Hemithorax, distance: number): number {
  const u = distance / lung.halfWidth;
  const peak = 0.48;
  const away = u - peak;
  const drop = away > 0 ? 4.4 * (away / (1 - peak)) ** 2.6 : 2.1 * (away / peak) ** 2;
  return lung.domeTop + drop;
}

/** Height of the costophrenic angle. */
export function anglePosition(lung: Hemithorax): number {
  return domeHeight(lung, lung.halfWidth * 0.985);
}

/** Height of the fluid's surface: a meniscus that climbs the lateral wall. */
export function fluidSurface(lung: Hemithorax, distance: number): number {
  if (lung.fluidHeight <= 0) return Infinity;
  const u = clamp01(distance / lung.halfWidth);
  const level = anglePosition(lung) - lung.fluidHeight;
  const climb = Math.min(3.2, 1 + 0.3 * lung.fluidHeight);
  return level + climb * (1 - u ** 3) - 0.5 * climb * smoothstep(0.35, 0.05, u);
}
