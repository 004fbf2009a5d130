import type { FilmAnswer } from "../dicom/read-film.ts";
import type { FinishedFile, Recorded, Recorder } from "./recorder.ts";

/** Collects finished files and has them recorded in batches, in the order of the walk. */
export interface Batcher {
  /** Resolves when there is room for another file. */
  room(): Promise<void>;
  add(file: Omit<FinishedFile, "answer">, reading: Promise<FilmAnswer>): void;
  /** Forgets the files that have no answer yet, so that nobody waits for them any more. */
  drop(): void;
  /** Waits for all files that were not dropped and records them. Rethrows the first failure. */
  finish(): Promise<void>;
  /** Records what can still be recorded after a failure; never throws. */
  settle(): Promise<void>;
}

/** So many are worth a transaction; while one runs more come together, up to the second number. */
const dueFiles = 64;
const batchFiles = 256;
const batchMilliseconds = 1000;
/** Files that may be in work or wait for their row. */
const mostInFlight = 1024;
/**
 * So that the same folder gives the same numbers every time, files are recorded in the order of
 * the walk; but a file that takes longer than this holds nobody up.
 */
const patienceMilliseconds = 10_000;

interface Entry {
  readonly file: Omit<FinishedFile, "answer">;
  answer: FilmAnswer | null;
}

export function batcher(options: {
  readonly recorder: Recorder;
  readonly onRecorded: (recorded: Recorded) => void;
}): Batcher {
  /** All files in the order of the walk that are not handed to the recorder yet. */
  let queue: Entry[] = [];
  const readings = new Set<Promise<void>>();
  let waiting: (() => void)[] = [];
  let waitingForAll: (() => void)[] = [];
  let failure: { readonly reason: unknown } | null = null;
  let recording: Promise<void> = Promise.resolve();
  /** Workers take their time to start, so the clock begins with the first answer. */
  let lastRecorded: number | null = null;
  let busy = false;
  let dropped = false;

  const fail = (reason: unknown): void => {
    failure ??= { reason };
    wake();
  };

  function wake(): void {
    const callers = waiting;
    waiting = [];
    for (const resolve of callers) resolve();
  }

  function throwFailure(): void {
    if (failure !== null) throw failure.reason;
  }

  function sinceLastRecord(): number {
    lastRecorded ??= performance.now();
    return performance.now() - lastRecorded;
  }

  /** The answered files at the head of the queue; all answered ones where patience is over. */
  function takeBatch(all: boolean): FinishedFile[] {
    const taken: FinishedFile[] = [];
    const left: Entry[] = [];
    const impatient = all || sinceLastRecord() > patienceMilliseconds;
    for (const entry of queue) {
      const inOrder = left.length === 0 || impatient;
      if (entry.answer !== null && inOrder && taken.length < batchFiles) {
        taken.push({ ...entry.file, answer: entry.answer });
      } else {
        left.push(entry);
      }
    }
    queue = left;
    return taken;
  }

  function ready(): number {
    let count = 0;
    for (const { answer } of queue) if (answer !== null) count++;
    return count;
  }

  async function recordBatches(all: boolean): Promise<void> {
    for (;;) {
      const batch = takeBatch(all);
      if (batch.length === 0) return;
      const recorded = await options.recorder.record(batch);
      lastRecorded = performance.now();
      for (const each of recorded) options.onRecorded(each);
      wake();
      if (!all && ready() < dueFiles) return;
    }
  }

  function record(all: boolean): Promise<void> {
    recording = recording.then(() => recordBatches(all));
    return recording;
  }

  function recordIfDue(): void {
    if (busy || failure !== null) return;
    if (sinceLastRecord() <= batchMilliseconds && ready() < dueFiles) return;
    busy = true;
    record(false)
      .catch(fail)
      .finally(() => {
        busy = false;
      });
  }

  return {
    async room() {
      throwFailure();
      while (queue.length >= mostInFlight && failure === null && !dropped) {
        recordIfDue();
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
      throwFailure();
    },
    add(file, reading) {
      const entry: Entry = { file, answer: null };
      queue.push(entry);
      const settled = reading
        .then((answer) => {
          if (dropped) return;
          entry.answer = answer;
          recordIfDue();
          wake();
        }, fail)
        .finally(() => readings.delete(settled));
      readings.add(settled);
    },
    drop() {
      dropped = true;
      queue = queue.filter(({ answer }) => answer !== null);
      const callers = waitingForAll;
      waitingForAll = [];
      for (const resolve of callers) resolve();
      wake();
    },
    async finish() {
      if (!dropped) {
        const gone = new Promise<void>((resolve) => waitingForAll.push(resolve));
        await Promise.race([Promise.all(readings), gone]);
      }
      throwFailure();
      await record(true);
      throwFailure();
    },
    async settle() {
      try {
        await record(true);
      } catch {
        // The failure that brought us here is on its way to the caller already.
      }
    },
  };
}
