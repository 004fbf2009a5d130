/** How long one waits for a file system that may have stopped answering, as a dead network share does. */
export interface Patience {
  readonly timeoutMilliseconds: number;
  readonly signal?: AbortSignal;
  /** When there was a sign of life that is no entry, as from `performance.now()`; 0 for none. */
  readonly lastSign?: () => number;
  /** What is thrown when patience is over. */
  readonly tooLong: () => Error;
}

/**
 * The same entries, but for one that does not come in time: the call that waits for it cannot be
 * ended and is left behind. Ends at once where the signal is aborted.
 */
export async function* patiently<T>(
  entries: AsyncGenerator<T, void, undefined>,
  { timeoutMilliseconds, signal, lastSign = () => 0, tooLong }: Patience,
): AsyncGenerator<T, void, undefined> {
  for (;;) {
    const asked = performance.now();
    const next = entries.next();
    // A failure that comes after nobody waits any more is nobody's.
    next.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    let cancel: (() => void) | undefined;
    const stopped = new Promise<"cancelled">((resolve, reject) => {
      const watch = (): void => {
        const silent = performance.now() - Math.max(asked, lastSign());
        if (silent >= timeoutMilliseconds) reject(tooLong());
        else timer = setTimeout(watch, timeoutMilliseconds - silent);
      };
      timer = setTimeout(watch, timeoutMilliseconds);
      cancel = () => resolve("cancelled");
      signal?.addEventListener("abort", cancel, { once: true });
      if (signal?.aborted === true) cancel();
    });
    try {
      const step = await Promise.race([next, stopped]);
      if (step === "cancelled" || step.done === true) return;
      yield step.value;
    } finally {
      clearTimeout(timer);
      if (cancel !== undefined) signal?.removeEventListener("abort", cancel);
    }
  }
}
