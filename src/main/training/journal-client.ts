import type { CoreToTrainer, TrainerJob, TrainerPort } from "./trainer-protocol.ts";

/** The step at hand may not be taken, and the run ends with the steps before it. */
export class StopHere extends Error {}

/** Asks the core to journal a step and waits until it stands on disk. */
export type JournalRequest = (step: number) => Promise<{ readonly stopRequested: boolean }>;

/** The trainer's end of the journal: the job that it is given, and a request for each step. */
export function createJournalClient(port: TrainerPort): {
  readonly job: Promise<TrainerJob>;
  readonly request: JournalRequest;
} {
  const job = Promise.withResolvers<TrainerJob>();
  let closed = false;
  let waiting: {
    readonly step: number;
    readonly answer: PromiseWithResolvers<{ readonly stopRequested: boolean }>;
  } | null = null;
  const gone = (): Error => new Error("The core is gone; nothing may be drawn without it.");

  port.onMessage((message: CoreToTrainer) => {
    if (message.kind === "job") {
      job.resolve(message.job);
    } else if (message.kind !== "stop" && waiting?.step === message.step) {
      if (message.kind === "journaled") waiting.answer.resolve(message);
      else waiting.answer.reject(message.stop ? new StopHere() : new Error(message.reason));
      waiting = null;
    }
  });
  port.onClosed(() => {
    closed = true;
    waiting?.answer.reject(gone());
  });
  return {
    job: job.promise,
    request: (step) => {
      if (closed) return Promise.reject(gone());
      const answer = Promise.withResolvers<{ readonly stopRequested: boolean }>();
      waiting = { step, answer };
      port.send({ kind: "journal", step });
      return answer.promise;
    },
  };
}
