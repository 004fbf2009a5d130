import type { LabelMapping } from "../../shared/contract.ts";
import type { FindingKey } from "../../shared/findings.ts";

/** Everything that a column of a labels file can mean. */
export type MappedField =
  Exclude<keyof LabelMapping, "findings" | "subgroups"> | { readonly finding: FindingKey };

/** The column that carries a field, or null where none does. */
export function mappedColumn(mapping: LabelMapping, field: MappedField): string | null {
  return typeof field === "string" ? mapping[field] : (mapping.findings[field.finding] ?? null);
}

/** The mapping with one field moved to another column, or to none. */
export function mapColumn(
  mapping: LabelMapping,
  field: MappedField,
  column: string | null,
): LabelMapping {
  if (typeof field === "string") return { ...mapping, [field]: column };
  const { finding } = field;
  const others = Object.entries(mapping.findings).filter(([key]) => key !== finding);
  const changed = column === null ? others : [...others, [finding, column] as const];
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
