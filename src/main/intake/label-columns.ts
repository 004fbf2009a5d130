import type { TableLabels } from "../../shared/contract.ts";
import { keyOfName, labelsOfColumns, ownLabelProblems } from "../../shared/own-labels.ts";
import { cellText, gradeOf } from "./label-row.ts";
import type { LabelTable } from "./label-table.ts";
import { statedIn } from "./presets/preset.ts";

/** The labels that a table's columns could be, for a person to choose from. */
export function tableLabels({ columns, rows }: LabelTable): TableLabels {
  const named = columns.filter((column) => keyOfName(column) !== "");
  const labels = labelsOfColumns(named);
  return {
    columns: named.flatMap((column, index) => {
      const label = labels[index];
      if (label === undefined) return [];
      // A name that may not be a label's says that the column carries something else.
      const mayBe = ownLabelProblems([label])[0] === null;
      return [{ column, label, isFinding: mayBe && holdsFindings(rows, column) }];
    }),
    rows: rows.length,
  };
}

/** Whether all that stands in a column is a grade or a state, and anything stands there. */
function holdsFindings(rows: LabelTable["rows"], column: string): boolean {
  let any = false;
  for (const cells of rows) {
    const text = cellText(cells[column]);
    if (text === null) continue;
    if (gradeOf(text) === null && statedIn(text) === null) return false;
    any = true;
  }
  return any;
}
