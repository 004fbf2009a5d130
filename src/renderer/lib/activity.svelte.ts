import { SvelteMap } from "svelte/reactivity";
import type { JobProgress, RunProgress } from "../../shared/domain.ts";
import { call, on } from "./bridge.ts";
import { addEnding, takeEndings } from "./job-endings.ts";
import { note, problem, reportFailure } from "./notices.svelte.ts";
import { loadCohorts, session } from "./session.svelte.ts";

const jobs = new SvelteMap<string, JobProgress>();
const runs = new SvelteMap<string, RunProgress>();

/** Changes of a cohort come in bursts during intake; screens reload at most this often. */
const reloadMilliseconds = 700;
let reloadTimer: ReturnType<typeof setTimeout> | null = null;
let chosenTouched = false;

export function isOver(job: JobProgress): boolean {
  return job.state === "finished" || job.state === "cancelled" || job.state === "failed";
}

/** Jobs of this session in the order in which they began, those of other cohorts included. */
export function allJobs(): readonly JobProgress[] {
  return [...jobs.values()];
}

export function jobById(jobId: string | null): JobProgress | null {
  return jobId === null ? null : (jobs.get(jobId) ?? null);
}

/** The newest job of a kind in a cohort, under way or over. */
export function newestJob(
  cohortId: number,
  kinds: readonly JobProgress["kind"][],
): JobProgress | null {
  return allJobs().findLast((job) => job.cohortId === cohortId && kinds.includes(job.kind)) ?? null;
}

/** The last progress heard of a run in this session. */
export function runProgress(runId: string): RunProgress | null {
  return runs.get(runId) ?? null;
}

/** Calls back once when the job is over, at once where it already is. */
export function whenOver(jobId: string, then: (job: JobProgress) => void): void {
  const job = jobs.get(jobId);
  if (job !== undefined && isOver(job)) then(job);
  else addEnding(jobId, then);
}

export function forgetJob(jobId: string): void {
  jobs.delete(jobId);
}

export async function cancelJob(jobId: string): Promise<void> {
  try {
    hearJob(await call("job:cancel", { jobId }));
  } catch (thrown) {
    reportFailure("The job could not be cancelled", thrown);
  }
}

export async function pauseJob(jobId: string, paused: boolean): Promise<void> {
  try {
    hearJob(await call("job:pause", { jobId, paused }));
  } catch (thrown) {
    reportFailure(paused ? "The job could not be paused" : "The job could not go on", thrown);
  }
}

function hearJob(job: JobProgress): void {
  jobs.set(job.jobId, job);
  if (!isOver(job)) return;
  for (const then of takeEndings(job.jobId)) then(job);
  changed(job.cohortId);
}

/** Counts of the list always change; screens of the chosen cohort reload. */
function changed(cohortId: number | null): void {
  if (cohortId === null || cohortId === session.cohortId) chosenTouched = true;
  if (reloadTimer !== null) return;
  reloadTimer = setTimeout(() => {
    reloadTimer = null;
    void loadCohorts();
    if (chosenTouched) session.revision += 1;
    chosenTouched = false;
  }, reloadMilliseconds);
}

async function loadJobs(): Promise<void> {
  try {
    for (const job of await call("job:list", {})) jobs.set(job.jobId, job);
  } catch (thrown) {
    reportFailure("The jobs under way could not be listed", thrown, () => void loadJobs());
  }
}

/** Follows the core's events for as long as the window lives; returns what stops it. */
export function followActivity(): () => void {
  const stops = [
    on("job:progress", hearJob),
    on("run:progress", (progress) => {
      const before = runs.get(progress.run.id)?.run.state;
      runs.set(progress.run.id, progress);
      if (before !== progress.run.state) changed(progress.run.cohortId);
    }),
    on("cohort:changed", ({ cohortId }) => changed(cohortId)),
    on("shell:core-restarted", ({ message }) => {
      session.coreFailure = null;
      jobs.clear();
      runs.clear();
      note("The core was started again", message);
      void start();
      session.revision += 1;
    }),
    on("shell:core-failed", ({ message }) => {
      session.coreFailure = message;
    }),
    on("shell:menu", ({ command }) => {
      if (command === "new-cohort") session.dialog = "new-cohort";
      else session.dialog = "keys";
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    if (reloadTimer !== null) clearTimeout(reloadTimer);
  };
}

/** Fetches what the window needs before it can show anything. */
export async function start(): Promise<void> {
  await Promise.all([loadCohorts(), loadJobs()]);
}

/** Runs a call that returns a job; failures become a notice. */
export async function startJob(
  title: string,
  begin: () => Promise<{ jobId: string }>,
  then?: (job: JobProgress) => void,
): Promise<string | null> {
  try {
    const { jobId } = await begin();
    whenOver(jobId, (job) => {
      if (job.state === "failed") problem(title, job.error ?? "The job ended without a reason.");
      then?.(job);
    });
    return jobId;
  } catch (thrown) {
    reportFailure(title, thrown);
    return null;
  }
}
