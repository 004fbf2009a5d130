/** Age bins of the study (data/utils.py of its published code): lower bound included. */
export const ageBins = [
  { title: "0–29", from: 0, to: 30 },
  { title: "30–59", from: 30, to: 60 },
  { title: "60–69", from: 60, to: 70 },
  { title: "70–79", from: 70, to: 80 },
  { title: "80–99", from: 80, to: 100 },
] as const;

/** The title of the age bin, or null where the age is unknown or outside all bins. */
export function ageBinOf(ageYears: number | null): string | null {
  if (ageYears === null) return null;
  return ageBins.find((bin) => ageYears >= bin.from && ageYears < bin.to)?.title ?? null;
}

export type Sex = "F" | "M" | "O";

export const sexTitles: Readonly<Record<Sex, string>> = { F: "Female", M: "Male", O: "Other" };

/** By how many co-morbidities a patient has; the last holds all higher counts. */
export const comorbidityGroups = ["none", "1", "2", "3 or more"] as const;

export function comorbidityGroupOf(count: number | null): string | null {
  if (count === null || !(count >= 0)) return null;
  return comorbidityGroups[Math.min(3, Math.floor(count))] ?? null;
}

const freePrefix = "table:";
const titles: Readonly<Record<string, string>> = {
  sex: "Sex",
  age: "Age",
  comorbidity: "Co-morbidities",
};

/**
 * What patients are divided by in results: "sex", "age", "comorbidity", or a free subgroup, which
 * a table's column named. A column that is called "sex" too stays apart from the film's own.
 */
export function freeAttribute(column: string): string {
  return `${freePrefix}${column}`;
}

/** The column of a free subgroup; null for the attributes that every cohort has. */
export function freeColumnOf(attribute: string): string | null {
  return attribute.startsWith(freePrefix) ? attribute.slice(freePrefix.length) : null;
}

export function attributeTitle(attribute: string): string {
  return freeColumnOf(attribute) ?? titles[attribute] ?? attribute;
}
