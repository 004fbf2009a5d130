/** What the engine "auto" stands for on a network and a resolution. */
export interface AutomaticChoice {
  readonly engine: string;
  /**
   * - "only": no other engine is available, so nothing was timed.
   * - "measured": the quickest of those timed on this task.
   * - "unmeasured": several are available and none has been timed yet; a run times them.
   */
  readonly how: "only" | "measured" | "unmeasured";
  /** Milliseconds for each image of a private step, quickest first; empty where not timed. */
  readonly timings: readonly { readonly engine: string; readonly milliseconds: number }[];
  /** Engines that were left out since they failed when they were timed, and how. */
  readonly failed: readonly { readonly engine: string; readonly reason: string }[];
  /** ISO time of the measurement. */
  readonly measuredAt: string | null;
}

/** A choice that was measured before, with what it was measured for. */
export interface RememberedChoice extends AutomaticChoice {
  readonly network: string;
  readonly resolutionPixels: number;
}

/** A choice in a few words: "onnxruntime-cpu, measured on 24 November 2026". */
export function choiceWords(choice: AutomaticChoice): string {
  switch (choice.how) {
    case "only":
      return `${choice.engine}, the only one here`;
    case "measured":
      return `${choice.engine}, measured on ${dayOf(choice.measuredAt)}`;
    case "unmeasured":
      return "several are measured when a run starts";
  }
}

/**
 * What was timed: "onnxruntime-cpu 12.3 ms, tensorflow 40.1 ms an image", and what failed at it; null
 * where nothing was timed.
 */
export function timingWords({ timings, failed }: AutomaticChoice): string | null {
  if (timings.length === 0) return null;
  const each = timings.map(({ engine, milliseconds }) => `${engine} ${milliseconds.toFixed(1)} ms`);
  const without = failed.map(({ engine }) => `; ${engine} failed`);
  return `${each.join(", ")} an image${without.join("")}`;
}

function dayOf(moment: string | null): string {
  if (moment === null) return "an unknown day";
  const day = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" } as const;
  return new Date(moment).toLocaleDateString("en-GB", day);
}
