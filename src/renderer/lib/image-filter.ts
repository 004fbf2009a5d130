import type { ImageFilter } from "../../shared/domain.ts";

/**
 * A filter with one criterion set from what a control holds, or dropped where that is empty. An age
 * that is not a number is dropped as well, rather than matching nothing while it is being typed.
 */
export function withFilter(filter: ImageFilter, key: keyof ImageFilter, text: string): ImageFilter {
  const rest = Object.fromEntries(Object.entries(filter).filter(([name]) => name !== key));
  const value = text.trim();
  if (value === "") return rest;
  if (key !== "ageFrom" && key !== "ageTo") return { ...rest, [key]: value };
  const age = Number(value);
  return Number.isFinite(age) ? { ...rest, [key]: age } : rest;
}
