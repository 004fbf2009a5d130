import type { CountByValue } from "../../shared/domain.ts";

/** Counts in the order of the numbers that their values begin with; other values last. */
export function inOrder(counts: readonly CountByValue[]): readonly CountByValue[] {
  const rank = ({ value }: CountByValue): number => {
    const number = Number.parseFloat(value);
    return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number;
  };
  return counts.toSorted((one, other) => {
    const [first, second] = [rank(one), rank(other)];
    return first === second ? 0 : first - second;
  });
}
