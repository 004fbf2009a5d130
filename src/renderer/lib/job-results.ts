import type { ImportResult, LabelImportResult } from "../../shared/domain.ts";

/** A job's result travels as `unknown`; these tell the two kinds with a summary apart. */
export function asImportResult(result: unknown): ImportResult | null {
  return hasNumbers(result, ["found", "imported", "duplicates"]) && "quarantined" in result
    ? (result as unknown as ImportResult)
    : null;
}

export function asLabelImportResult(result: unknown): LabelImportResult | null {
  return hasNumbers(result, ["rows", "matched"]) && "unmatched" in result
    ? (result as unknown as LabelImportResult)
    : null;
}

function hasNumbers(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return keys.every((key) => typeof record[key] === "number");
}
