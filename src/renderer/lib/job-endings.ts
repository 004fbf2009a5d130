import type { JobProgress } from "../../shared/domain.ts";

type Ending = (job: JobProgress) => void;

const waiting = new Map<string, readonly Ending[]>();

/** What to do when a job is over. */
export function addEnding(jobId: string, then: Ending): void {
  waiting.set(jobId, [...(waiting.get(jobId) ?? []), then]);
}

/** Takes what was waiting for a job, so that it is done once. */
export function takeEndings(jobId: string): readonly Ending[] {
  const endings = waiting.get(jobId) ?? [];
  waiting.delete(jobId);
  return endings;
}
