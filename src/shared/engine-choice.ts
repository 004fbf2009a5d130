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
  /** ISO time of the measurement. */
  readonly measuredAt: string | null;
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

/** What was timed: "onnxruntime-cpu 12.3 ms, tensorflow 40.1 ms an image"; null where nothing was. */
export function timingWords({ timings }: AutomaticChoice): string | null {
  if (timings.length === 0) return null;
  const each = timings.map(({ engine, milliseconds }) => `${engine} ${milliseconds.toFixed(1)} ms`);
  return `${each.join(", ")} an image`;
}

function dayOf(moment: string | null): string {
  if (moment === null) return "an unknown day";
  const day = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" } as const;
  return new Date(moment).toLocaleDateString("en-GB", day);
}
