import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  contract,
  type EventName,
  type Events,
  type InputOf,
  type OutputOf,
  type Procedure,
} from "../../shared/contract.ts";
import type { JobProgress, RunSummary } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { openDatabase } from "../store/database.ts";
import { forgetRestoration, restoredFrom } from "../store/backup/restore.ts";
import { eraseReplacedFrames } from "../store/frame-erasure.ts";
import { openSiteIdentity } from "../store/identity.ts";
import { recordRestoration } from "../training/ledger-gaps.ts";
import { RunQueue } from "../training/queue.ts";
import { recoverRuns } from "../training/recovery.ts";
import type { CoreContext } from "./context.ts";
import { auditHandlers } from "./handlers/audit.ts";
import { cohortHandlers } from "./handlers/cohort.ts";
import { evaluationHandlers } from "./handlers/evaluation.ts";
import { filmHandlers } from "./handlers/films.ts";
import { intakeHandlers } from "./handlers/intake.ts";
import { releaseHandlers } from "./handlers/release.ts";
import { ledgerHandlers } from "./handlers/ledger.ts";
import { trainingHandlers } from "./handlers/training.ts";
import { upkeepHandlers } from "./handlers/upkeep.ts";
import type { Emit, Handler, Handlers } from "./handlers/types.ts";
import { Jobs } from "./jobs.ts";
import { pixelsOf, type Pixels } from "./pixels.ts";
import { version } from "./version.ts";

/** The services behind window and command line, on one data folder. */
export interface Core {
  /** @throws UserError where the input does not fit the contract or a person can act on it. */
  call<P extends Procedure>(procedure: P, input: InputOf<P>): Promise<OutputOf<P>>;
  /** The same for a caller in another process, whose procedure and input are not yet checked. */
  callUntyped(procedure: string, input: unknown): Promise<unknown>;
  /** @returns what ends the subscription. */
  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void;
  onAny(listener: (event: EventName, payload: unknown) => void): () => void;
  pixels(path: string): Promise<Pixels>;
  jobFinished(jobId: string): Promise<JobProgress>;
  runFinished(runId: string): Promise<RunSummary>;
  /** Puts all work away: jobs are cancelled, the run under way ends, the store is closed. */
  close(): Promise<void>;
}

/**
 * Opens a data folder: the store, the site's identity, and the runs that a dead process left
 * behind, which are closed with their journaled steps counted.
 */
export function openCore(options: { readonly dataFolder: string }): Promise<Core> {
  const { dataFolder } = options;
  createFolder(dataFolder);
  const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
  const listeners = new Set<(event: EventName, payload: unknown) => void>();
  const emit: Emit = (event, payload) => {
    for (const listener of listeners) listener(event, payload);
  };
  const context: CoreContext = {
    dataFolder,
    database,
    identity: openSiteIdentity(dataFolder, database),
    emit,
    jobs: new Jobs((progress) => {
      emit("job:progress", progress);
    }),
    queue: new RunQueue({
      database,
      dataFolder,
      onProgress: (progress) => {
        emit("run:progress", progress);
        // Frames that a run was still reading can go once it is over.
        if (progress.run.endedAt !== null) eraseReplacedFrames(database, dataFolder);
      },
    }),
  };
  const backupAt = restoredFrom(dataFolder);
  if (backupAt !== null) {
    recordRestoration(database, backupAt);
    forgetRestoration(dataFolder);
  }
  recoverRuns(database);
  eraseReplacedFrames(database, dataFolder);
  return Promise.resolve(serve(context, listeners));
}

function createFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new UserError(
      "resource",
      `The data folder ${folder} cannot be created. Choose another with --data, or check its ` +
        "permissions.",
      { cause: thrown },
    );
  }
}

function serve(
  context: CoreContext,
  listeners: Set<(event: EventName, payload: unknown) => void>,
): Core {
  const handlers: Handlers = {
    ...appHandlers(context),
    ...cohortHandlers(context),
    ...intakeHandlers(context),
    ...filmHandlers(context),
    ...trainingHandlers(context),
    ...ledgerHandlers(context),
    ...evaluationHandlers(context),
    ...auditHandlers(context),
    ...releaseHandlers(context),
    ...upkeepHandlers(context),
  };
  const answer = async <P extends Procedure>(procedure: P, input: unknown) => {
    const parsed = contract[procedure].input.safeParse(input);
    if (!parsed.success) {
      throw new UserError("input", `${procedure}: ${z.prettifyError(parsed.error)}`);
    }
    const handler = handlers[procedure] as Handler<P>;
    return handler(parsed.data as Parameters<Handler<P>>[0]);
  };
  const onAny: Core["onAny"] = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    call: answer,
    callUntyped: async (procedure, input) => {
      if (!Object.hasOwn(contract, procedure)) {
        throw new UserError("not-found", `There is no procedure "${procedure}".`);
      }
      return answer(procedure as Procedure, input);
    },
    on: (event, listener) =>
      onAny((name, payload) => {
        if (name === event) listener(payload as Parameters<typeof listener>[0]);
      }),
    onAny,
    pixels: (path) => pixelsOf(context, path),
    jobFinished: (jobId) => context.jobs.finished(jobId),
    runFinished: (runId) => context.queue.whenOver(runId),
    close: async () => {
      await context.jobs.stop();
      await context.queue.close();
      context.database.close();
    },
  };
}

function appHandlers({
  dataFolder,
  jobs,
}: CoreContext): Handlers<"app:info" | "job:list" | "job:cancel" | "job:pause"> {
  return {
    "app:info": () => ({
      version,
      dataFolder,
      node: process.version,
      coreProcess: process.pid,
    }),
    "job:list": () => jobs.list(),
    "job:cancel": ({ jobId }) => jobs.cancel(jobId),
    "job:pause": ({ jobId, paused }) => jobs.pause(jobId, paused),
  };
}
