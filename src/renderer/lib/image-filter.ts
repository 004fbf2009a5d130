import type { ImageFilter } from "../../shared/domain.ts";

export type PlainCriterion = Exclude<keyof ImageFilter, "subgroup">;

/**
 * A filter with one criterion set from what a control holds, or dropped where that is empty. An age
 * that is not a number is dropped as well, rather than matching nothing while it is being typed.
 */
export function withFilter(filter: ImageFilter, key: PlainCriterion, text: string): ImageFilter {
  const rest = Object.fromEntries(Object.entries(filter).filter(([name]) => name !== key));
  const value = text.trim();
  if (value === "") return rest;
  if (key !== "ageFrom" && key !== "ageTo") return { ...rest, [key]: value };
  const age = Number(value);
  return Number.isFinite(age) ? { ...rest, [key]: age } : rest;
}

/** A filter with a free subgroup as one option of a select holds it, or without where that is empty. */
export function withSubgroup(filter: ImageFilter, option: string): ImageFilter {
  const { subgroup: _, ...rest } = filter;
  if (option === "") return rest;
  const [name, value] = JSON.parse(option) as [string, string];
  return { ...rest, subgroup: { name, value } };
}

/** What a select's option holds for a value of a free subgroup; "" for none. */
export function subgroupOption(subgroup: ImageFilter["subgroup"]): string {
  return subgroup === undefined ? "" : JSON.stringify([subgroup.name, subgroup.value]);
}
