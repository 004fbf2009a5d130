import type { RunQueue } from "../training/queue.ts";
import type { Database } from "../store/database.ts";
import type { SiteIdentity } from "../store/identity.ts";
import type { Emit } from "./handlers/types.ts";
import type { Jobs } from "./jobs.ts";

/** What the handlers of one open core share. */
export interface CoreContext {
  readonly dataFolder: string;
  readonly database: Database;
  readonly identity: SiteIdentity;
  readonly jobs: Jobs;
  readonly queue: RunQueue;
  readonly emit: Emit;
}
