/** Parts of names by which makers of X-ray systems are recognised, and the name that is kept. */
const manufacturers: readonly (readonly [string, string])[] = [
  ["agfa", "Agfa"],
  ["canon", "Canon"],
  ["carestream", "Carestream"],
  ["kodak", "Carestream"],
  ["del medical", "Del Medical"],
  ["fuji", "Fujifilm"],
  ["ge healthcare", "GE Healthcare"],
  ["ge medical", "GE Healthcare"],
  ["general electric", "GE Healthcare"],
  ["hologic", "Hologic"],
  ["konica", "Konica Minolta"],
  ["philips", "Philips"],
  ["samsung", "Samsung"],
  ["shimadzu", "Shimadzu"],
  ["siemens", "Siemens"],
  ["swissray", "Swissray"],
  ["toshiba", "Toshiba"],
  ["vieworks", "Vieworks"],
];

/** The makers that the phantom generator invents. */
const inventedManufacturers: typeof manufacturers = [
  ["brightwater", "Brightwater Systems"],
  ["fernhill", "Fernhill Diagnostics"],
  ["halcyon", "Halcyon Radiographic"],
  ["kestrel", "Kestrel Medical"],
  ["lumenray", "Lumenray Imaging"],
  ["nordlicht", "Nordlicht Roentgen"],
  ["sundance", "Sundance X-ray"],
];

/**
 * The maker's name as it is kept. The attribute is free text in which anything may stand, names of
 * people too, so only known makers go into the store; any other becomes "other".
 */
export function knownManufacturer(value: string | null): string | null {
  if (value === null) return null;
  const lower = value.toLowerCase();
  const all = [...manufacturers, ...inventedManufacturers];
  return all.find(([part]) => lower.includes(part))?.[1] ?? "other";
}

/** Whether a kept name is one of the phantom generator's makers: such films show no patient. */
export function isInventedManufacturer(kept: string | null): boolean {
  return inventedManufacturers.some(([, name]) => name === kept);
}
