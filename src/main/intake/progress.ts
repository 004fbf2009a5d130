import type { ImportOptions, ImportProgress } from "./options.ts";
import { rateMeter } from "./rate.ts";
import { walk } from "./walk.ts";

const intervalMilliseconds = 200;

/** The counts that progress is told from. */
interface Counts {
  readonly found: number;
  readonly done: number;
  readonly imported: number;
  readonly duplicates: number;
  readonly quarantined: readonly unknown[];
}

/**
 * Tells progress five times a second, and counts the files ahead of the import by their names
 * alone, so that the time left is known early.
 */
export function progressReporter(
  counts: Counts,
  { onProgress, pause, signal }: Pick<ImportOptions, "onProgress" | "pause" | "signal">,
): { start(roots: readonly string[]): void; stop(): void } {
  const meter = rateMeter();
  const counting = new AbortController();
  let total: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  let wasPaused = false;

  function tell(phase: ImportProgress["phase"] | null): void {
    const paused = pause?.paused === true;
    if (wasPaused && !paused) meter.reset();
    wasPaused = paused;
    const perSecond = paused ? null : meter.update(counts.done, performance.now());
    const known = total === null ? null : Math.max(total, counts.found);
    onProgress?.({
      phase: phase ?? (paused ? "paused" : counts.done === 0 ? "looking for films" : "importing"),
      done: counts.done,
      total: known,
      imported: counts.imported,
      duplicates: counts.duplicates,
      quarantined: counts.quarantined.length,
      perSecond,
      secondsLeft:
        known === null || perSecond === null ? null : Math.max(0, known - counts.done) / perSecond,
    });
  }

  async function countFiles(roots: readonly string[]): Promise<void> {
    let files = 0;
    const entries = walk(roots, { namesOnly: true, signal: counting.signal });
    while ((await entries.next()).done !== true) files++;
    if (!counting.signal.aborted) total = files;
  }

  return {
    start(roots) {
      if (onProgress === undefined) return;
      timer = setInterval(() => tell(null), intervalMilliseconds);
      signal?.addEventListener("abort", () => counting.abort(), { once: true });
      // A folder that cannot be counted is reported by the import itself.
      countFiles(roots).catch(() => undefined);
    },
    stop() {
      counting.abort();
      if (timer === null) return;
      clearInterval(timer);
      total = counts.found;
      tell("finishing");
    },
  };
}
