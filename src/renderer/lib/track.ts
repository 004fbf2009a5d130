/**
 * Reads reactive values, so that the effect or derivation around the call runs again when they
 * change.
 */
export function track(...values: readonly unknown[]): void {
  values.at(0);
}
