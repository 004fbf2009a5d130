import { chexpert } from "./chexpert.ts";
import { mimic } from "./mimic.ts";
import { nih } from "./nih.ts";
import { padchest } from "./padchest.ts";
import type { Preset } from "./preset.ts";
import { taixRay } from "./taix-ray.ts";
import { vindr } from "./vindr.ts";

/** The public data sets whose tables are understood. */
export const presets: readonly Preset[] = [taixRay, chexpert, mimic, nih, vindr, padchest];

/** The preset whose columns a table has; null where it is none of them. */
export function recognisePreset(columns: readonly string[]): Preset | null {
  return (
    presets.find(({ recognisedBy }) => recognisedBy.every((column) => columns.includes(column))) ??
    null
  );
}
