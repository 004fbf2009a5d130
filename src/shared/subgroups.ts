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
