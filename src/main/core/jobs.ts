import { randomUUID } from "node:crypto";
import type { JobKind, JobProgress } from "../../shared/domain.ts";
import { messageOf, UserError } from "../../shared/errors.ts";

/** What a job tells of itself while it works. */
export interface JobReport {
  readonly phase?: string;
  readonly done?: number;
  readonly total?: number | null;
}

export interface JobControl {
  /** Aborted when a person cancels the job or the core stops. */
  readonly signal: AbortSignal;
  /** Resolves at once, or when a paused job goes on; rejects when it is cancelled meanwhile. */
  readonly whileRunning: () => Promise<void>;
  /** True while a person has paused the job. */
  readonly paused: () => boolean;
  readonly report: (report: JobReport) => void;
}

export interface JobDescription {
  readonly kind: JobKind;
  readonly cohortId: number | null;
  readonly phase: string;
  /** What `done` and `total` count, in the plural: "files", "rows". */
  readonly unit: string;
}

interface Job {
  progress: JobProgress;
  readonly controller: AbortController;
  readonly finished: Promise<JobProgress>;
  resume: PromiseWithResolvers<undefined> | null;
  rate: RateMeter;
  lastSent: number;
}

const finishedJobsKept = 50;
const sendEveryMilliseconds = 200;

/** The long tasks of one core: each reports progress, can be paused and can be cancelled. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #send: (progress: JobProgress) => void;

  constructor(send: (progress: JobProgress) => void) {
    this.#send = send;
  }

  /** Starts `body`; its result becomes the job's result, its error the job's error. */
  start(description: JobDescription, body: (control: JobControl) => Promise<unknown>): string {
    const jobId = randomUUID();
    const controller = new AbortController();
    const outcome = Promise.withResolvers<JobProgress>();
    const job: Job = {
      progress: {
        jobId,
        ...description,
        state: "running",
        done: 0,
        total: null,
        perSecond: null,
        secondsLeft: null,
        error: null,
        result: null,
      },
      controller,
      finished: outcome.promise,
      resume: null,
      rate: new RateMeter(),
      lastSent: 0,
    };
    this.#jobs.set(jobId, job);
    const control: JobControl = {
      signal: controller.signal,
      paused: () => job.resume !== null,
      whileRunning: async () => {
        controller.signal.throwIfAborted();
        if (job.resume !== null) await job.resume.promise;
        controller.signal.throwIfAborted();
      },
      report: (report) => {
        this.#report(job, report);
      },
    };
    const end = (change: Partial<JobProgress>): void => {
      this.#update(job, { ...change, secondsLeft: null });
      outcome.resolve(job.progress);
      this.#forgetOldest();
    };
    this.#send(job.progress);
    body(control).then(
      (result) => {
        end({ state: controller.signal.aborted ? "cancelled" : "finished", result });
      },
      (thrown: unknown) => {
        const cancelled = controller.signal.aborted;
        end(cancelled ? { state: "cancelled" } : { state: "failed", error: messageOf(thrown) });
        if (!cancelled && !(thrown instanceof UserError)) console.error(thrown);
      },
    );
    return jobId;
  }

  list(): JobProgress[] {
    return [...this.#jobs.values()].map((job) => job.progress);
  }

  cancel(jobId: string): JobProgress {
    const job = this.#find(jobId);
    job.controller.abort(new UserError("conflict", "cancelled"));
    job.resume?.resolve(undefined);
    job.resume = null;
    return job.progress;
  }

  pause(jobId: string, paused: boolean): JobProgress {
    const job = this.#find(jobId);
    if (job.progress.state !== "running" && job.progress.state !== "paused") return job.progress;
    if (paused && job.resume === null) {
      job.resume = Promise.withResolvers<undefined>();
      this.#update(job, { state: "paused", perSecond: null, secondsLeft: null });
    } else if (!paused && job.resume !== null) {
      job.resume.resolve(undefined);
      job.resume = null;
      job.rate = new RateMeter();
      this.#update(job, { state: "running" });
    }
    return job.progress;
  }

  /** Resolves with the last progress once the job has ended, however it ended. */
  finished(jobId: string): Promise<JobProgress> {
    return this.#find(jobId).finished;
  }

  /** Cancels all and waits until each has put its work away. */
  async stop(): Promise<void> {
    for (const [jobId, job] of this.#jobs) {
      if (job.progress.state === "running" || job.progress.state === "paused") this.cancel(jobId);
    }
    await Promise.all([...this.#jobs.values()].map((job) => job.finished));
  }

  #find(jobId: string): Job {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new UserError("not-found", "That task has ended and is gone.");
    return job;
  }

  #report(job: Job, report: JobReport): void {
    if (report.phase !== undefined && report.phase !== job.progress.phase) {
      job.rate = new RateMeter();
    }
    const done = report.done ?? job.progress.done;
    const total = report.total === undefined ? job.progress.total : report.total;
    const perSecond = job.rate.at(done);
    job.progress = {
      ...job.progress,
      phase: report.phase ?? job.progress.phase,
      done,
      total,
      perSecond,
      secondsLeft:
        perSecond === null || perSecond <= 0 || total === null ? null : (total - done) / perSecond,
    };
    const moment = performance.now();
    if (moment - job.lastSent >= sendEveryMilliseconds || done === total) {
      job.lastSent = moment;
      this.#send(job.progress);
    }
  }

  #update(job: Job, change: Partial<JobProgress>): void {
    job.progress = { ...job.progress, ...change };
    this.#send(job.progress);
  }

  #forgetOldest(): void {
    const ended = [...this.#jobs].filter(
      ([, job]) => job.progress.state !== "running" && job.progress.state !== "paused",
    );
    for (const [jobId] of ended.slice(0, Math.max(0, ended.length - finishedJobsKept))) {
      this.#jobs.delete(jobId);
    }
  }
}

/** The rate over the last several seconds, so that a slow start does not spoil the estimate. */
class RateMeter {
  readonly #samples: { readonly moment: number; readonly done: number }[] = [];

  at(done: number): number | null {
    const moment = performance.now();
    this.#samples.push({ moment, done });
    while (this.#samples.length > 2 && moment - (this.#samples[0]?.moment ?? 0) > 15_000) {
      this.#samples.shift();
    }
    const first = this.#samples[0];
    if (first === undefined || moment - first.moment < 500) return null;
    return ((done - first.done) * 1000) / (moment - first.moment);
  }
}
