/**
 * What the set-up says goes to standard error: standard output belongs to the command that the
 * person asked for.
 */

/** Says what is being done. */
export function say(text) {
  process.stderr.write(`silhouette: ${text}\n`);
}

/** A failure that the person can act on: printed without a stack. */
export class SetupError extends Error {}

/** Runs an entry point and turns its failure into an exit code. */
export async function runEntry(entry) {
  try {
    process.exitCode = await entry();
  } catch (error) {
    say(error instanceof SetupError ? error.message : (error?.stack ?? String(error)));
    process.exitCode = 1;
  }
}

/** Seconds since a `performance.now()` reading, as text. */
export function secondsSince(startMilliseconds) {
  return `${((performance.now() - startMilliseconds) / 1000).toFixed(1)} s`;
}
