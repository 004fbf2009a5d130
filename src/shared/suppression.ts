/**
 * Which counts a table may show. A small cell could point at a person; so could its neighbour, where
 * the total of a row or column is known and only one cell of it is hidden.
 */

/** What stands in place of a count that is large enough but would give away a small one. */
const complement = "not shown";

export interface ShownCount {
  /** Null where it is hidden. */
  readonly value: number | null;
  readonly shown: string;
}

function shownOrHidden(value: number, isHidden: boolean, minimumCell: number): ShownCount {
  if (!isHidden) return { value, shown: value.toLocaleString("en-US") };
  return {
    value: null,
    shown: value < minimumCell ? `fewer than ${String(minimumCell)}` : complement,
  };
}

/**
 * Counts of a division whose total is known: those under the minimum are hidden, and where that
 * would leave exactly one hidden, which the total gives away, the next smallest is hidden too.
 *
 * @param zerosMayShow where a count of nobody says nothing of anybody, such as labels that are missing
 */
export function suppressedCounts(
  counts: readonly number[],
  minimumCell: number,
  { zerosMayShow = false }: { readonly zerosMayShow?: boolean } = {},
): ShownCount[] {
  const isSmall = (value: number): boolean => value < minimumCell && !(zerosMayShow && value === 0);
  const hidden = new Set(counts.flatMap((value, index) => (isSmall(value) ? [index] : [])));
  const [onlyHidden] = hidden;
  if (hidden.size === 1 && onlyHidden !== undefined) {
    const others = counts
      .map((value, index) => ({ value, index }))
      .filter(({ value, index }) => index !== onlyHidden && value > 0);
    const next = others.toSorted((one, other) => one.value - other.value)[0];
    if (next !== undefined) hidden.add(next.index);
  }
  return counts.map((value, index) => shownOrHidden(value, hidden.has(index), minimumCell));
}

/** The positives and negatives of one label, in a group or in all. */
export interface LabelPair {
  readonly positives: number;
  readonly negatives: number;
}

/**
 * The positives and negatives of a label in the groups of one attribute, whose totals are known: a row
 * with a small count shows neither of its two, since its images are known; and where one row alone is
 * hidden, the one with the next smallest count is hidden with it.
 *
 * @param isDivision whether the rows are groups that together are all; false for rows of their own
 */
export function suppressedPairs(
  rows: readonly LabelPair[],
  minimumCell: number,
  isDivision: boolean,
): { readonly positives: ShownCount; readonly negatives: ShownCount }[] {
  const smallest = (row: LabelPair): number => Math.min(row.positives, row.negatives);
  const hidden = new Set(
    rows.flatMap((row, index) => (smallest(row) < minimumCell ? [index] : [])),
  );
  const [onlyHidden] = hidden;
  if (isDivision && hidden.size === 1 && onlyHidden !== undefined) {
    const next = rows
      .map((row, index) => ({ count: smallest(row), index }))
      .filter(({ index }) => index !== onlyHidden)
      .toSorted((one, other) => one.count - other.count)[0];
    if (next !== undefined) hidden.add(next.index);
  }
  return rows.map(({ positives, negatives }, index) => ({
    positives: shownOrHidden(positives, hidden.has(index), minimumCell),
    negatives: shownOrHidden(negatives, hidden.has(index), minimumCell),
  }));
}

interface Group {
  /** Groups of one attribute together are all patients. */
  readonly attribute: string;
}

/** Patients, positives and negatives of one label in the groups of any attributes, as shown. */
export function shownSubgroups<Row extends Group & LabelPair & { readonly patients: number }>(
  rows: readonly Row[],
  minimumCell: number,
): ReadonlyMap<Row, { patients: string; positives: string; negatives: string }> {
  return eachAttribute(rows, (groups) => {
    const patients = suppressedCounts(
      groups.map((row) => row.patients),
      minimumCell,
    );
    return suppressedPairs(groups, minimumCell, true).map((pair, index) => ({
      patients: patients[index]?.shown ?? complement,
      positives: pair.positives.shown,
      negatives: pair.negatives.shown,
    }));
  });
}

/** Patients and images of the groups of any attributes, as shown. */
export function shownGroups<
  Row extends Group & { readonly patients: number; readonly images: number },
>(
  rows: readonly Row[],
  minimumCell: number,
): ReadonlyMap<Row, { patients: string; images: string }> {
  return eachAttribute(rows, (groups) => {
    const patients = suppressedCounts(
      groups.map((row) => row.patients),
      minimumCell,
    );
    const images = suppressedCounts(
      groups.map((row) => row.images),
      minimumCell,
    );
    return patients.map((cell, index) => ({
      patients: cell.shown,
      // The images of few patients say how many they are.
      images: cell.value === null ? complement : (images[index]?.shown ?? complement),
    }));
  });
}

function eachAttribute<Row extends Group, Shown>(
  rows: readonly Row[],
  show: (groups: readonly Row[]) => readonly Shown[],
): ReadonlyMap<Row, Shown> {
  const shown = new Map<Row, Shown>();
  for (const groups of Map.groupBy(rows, ({ attribute }) => attribute).values()) {
    show(groups).forEach((cells, index) => {
      const row = groups[index];
      if (row !== undefined) shown.set(row, cells);
    });
  }
  return shown;
}
