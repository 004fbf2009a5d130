import type { LabelMapping } from "../../shared/contract.ts";
import { findingKeys, type FindingKey } from "../../shared/findings.ts";

/** Everything that a column of a labels file can mean. */
export type MappedField = Exclude<keyof LabelMapping, "findings" | "subgroups"> | FindingKey;

function isFinding(field: MappedField): field is FindingKey {
  return (findingKeys as readonly string[]).includes(field);
}

/** The column that carries a field, or null where none does. */
export function mappedColumn(mapping: LabelMapping, field: MappedField): string | null {
  return isFinding(field) ? (mapping.findings[field] ?? null) : mapping[field];
}

/** The mapping with one field moved to another column, or to none. */
export function mapColumn(
  mapping: LabelMapping,
  field: MappedField,
  column: string | null,
): LabelMapping {
  if (!isFinding(field)) return { ...mapping, [field]: column };
  const others = Object.entries(mapping.findings).filter(([key]) => key !== field);
  const changed = column === null ? others : [...others, [field, column] as const];
  return { ...mapping, findings: Object.fromEntries(changed) };
}

/** The columns that mean nothing yet, so that each could be a free subgroup. */
export function freeColumns(columns: readonly string[], mapping: LabelMapping): readonly string[] {
  const { findings, subgroups: _, ...fields } = mapping;
  const used = new Set([...Object.values(fields), ...Object.values(findings)]);
  return columns.filter((column) => column !== "" && !used.has(column));
}

/** The mapping with a column taken as a free subgroup, or no longer. */
export function toggleSubgroup(mapping: LabelMapping, column: string): LabelMapping {
  const without = mapping.subgroups.filter((name) => name !== column);
  const taken = without.length < mapping.subgroups.length;
  return { ...mapping, subgroups: taken ? without : [...without, column] };
}
