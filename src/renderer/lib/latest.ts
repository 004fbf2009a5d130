/**
 * Runs one call at a time and always ends with the newest input: what was asked for in between is
 * dropped, so that a moving slider never queues up work. `onResult` is not called for an input that
 * a newer one has overtaken, except while the newer one is still waiting: then it shows progress.
 */
export function createLatest<Input, Output>(
  work: (input: Input) => Promise<Output>,
  onResult: (output: Output, isNewest: boolean) => void,
  onFailure: (thrown: unknown, isNewest: boolean) => void,
): { ask(input: Input): void; cancel(): void } {
  let waiting: { readonly input: Input } | null = null;
  let busy = false;
  let generation = 0;

  const nothingNewer = () => waiting === null;

  async function drain(): Promise<void> {
    if (busy) return;
    busy = true;
    while (waiting !== null) {
      const { input } = waiting;
      const mine = generation;
      waiting = null;
      try {
        const output = await work(input);
        if (mine === generation) onResult(output, nothingNewer());
      } catch (thrown) {
        if (mine === generation) onFailure(thrown, nothingNewer());
      }
    }
    busy = false;
  }

  return {
    ask(input) {
      waiting = { input };
      void drain();
    },
    cancel() {
      waiting = null;
      generation += 1;
    },
  };
}
