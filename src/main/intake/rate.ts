/** Rate and time left over the last seconds, so that a slow start does not spoil the estimate. */
export interface RateMeter {
  /** Notes how much is done at a moment; returns units per second, null at first. */
  update(done: number, atMilliseconds: number): number | null;
  /** Forgets the past: after a pause, or where the kind of work changes. */
  reset(): void;
}

const spanMilliseconds = 10_000;

export function rateMeter(): RateMeter {
  let samples: { readonly done: number; readonly at: number }[] = [];
  return {
    update(done, at) {
      samples.push({ done, at });
      while (samples.length > 2 && at - (samples[0]?.at ?? at) > spanMilliseconds) samples.shift();
      const first = samples[0];
      if (first === undefined || at - first.at < 500 || done === first.done) return null;
      return ((done - first.done) * 1000) / (at - first.at);
    },
    reset() {
      samples = [];
    },
  };
}
