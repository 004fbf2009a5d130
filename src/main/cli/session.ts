import { join } from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { JobProgress } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { formatCount, formatDuration, formatRate } from "../../shared/format.ts";
import { openCore, type Core } from "../core/core.ts";
import { dataFolder } from "../store/data-folder.ts";
import { openDatabase } from "../store/database.ts";
import { openSiteIdentity, type SiteIdentity } from "../store/identity.ts";
import { openOutput, type Output } from "./output.ts";

/** The options that every command takes. */
interface GlobalOptions {
  readonly json?: boolean;
  readonly data?: string;
}

/** How a command's output is to be written, from its own and the program's options. */
export function outputOf(command: Command): Output {
  return openOutput(command.optsWithGlobals<GlobalOptions>().json === true);
}

/** The value of `--data`, if given. */
export function dataOption(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().data;
}

/** Runs a command's body against the core of the chosen data folder, and closes it whatever comes. */
export async function withCore(
  command: Command,
  body: (core: Core, output: Output) => Promise<void>,
): Promise<void> {
  const output = outputOf(command);
  const core = await openCore({
    dataFolder: dataFolder(dataOption(command)),
  });
  try {
    await body(core, output);
  } finally {
    await core.close();
  }
}

/** Runs a command's body with the site's secret key, which is made on first use. */
export async function withSiteIdentity(
  command: Command,
  body: (identity: SiteIdentity, output: Output) => Promise<void>,
): Promise<void> {
  const folder = dataFolder(command.optsWithGlobals<GlobalOptions>().data);
  const database = openDatabase(join(folder, "silhouette.sqlite"));
  try {
    await body(openSiteIdentity(folder, database), outputOf(command));
  } finally {
    database.close();
  }
}

/**
 * Waits for a job, showing its progress; an interrupt from the keyboard cancels it.
 *
 * @throws UserError where the job failed or was cancelled.
 */
export async function waitForJob<Result>(
  core: Core,
  output: Output,
  jobId: string,
): Promise<Result> {
  const stopListening = core.on("job:progress", (progress) => {
    if (progress.jobId === jobId) output.progress(describeProgress(progress));
  });
  const cancel = (): void => {
    void core.call("job:cancel", { jobId });
  };
  process.once("SIGINT", cancel);
  process.once("SIGTERM", cancel);
  try {
    const last = await core.jobFinished(jobId);
    if (last.state === "failed") throw new UserError("input", last.error ?? "The task failed.");
    if (last.state === "cancelled" && last.result === null) {
      throw new UserError("conflict", "Cancelled. What was finished before is kept.");
    }
    return last.result as Result;
  } finally {
    process.off("SIGINT", cancel);
    process.off("SIGTERM", cancel);
    stopListening();
  }
}

/** "Importing: 1,200 of 3,400 files, 310 files/s, 7 s left". */
export function describeProgress(progress: JobProgress): string {
  const { phase, done, total, unit, perSecond, secondsLeft } = progress;
  const count =
    total === null ? formatCount(done) : `${formatCount(done)} of ${formatCount(total)}`;
  return [
    done === 0 && total === null ? phase : `${phase}: ${count} ${unit}`,
    perSecond === null || perSecond <= 0 ? "" : formatRate(perSecond, unit),
    secondsLeft === null ? "" : `${formatDuration(secondsLeft)} left`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Reads a number from the command line; anything else is wrong usage. */
export function numberArgument(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value))
    throw new InvalidArgumentError("a number is needed");
  return value;
}

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = numberArgument(text);
    if (!Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`a whole number of ${least} or more is needed`);
    }
    return value;
  };
}
