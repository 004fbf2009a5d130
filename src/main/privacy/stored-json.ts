/** JSON as it was written; undefined where somebody wrote something else. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON: somebody wrote into the row. The comparison that follows names it.
    return undefined;
  }
}
