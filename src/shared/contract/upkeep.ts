import { z } from "zod";
import { procedure } from "./procedure.ts";

/** What a finished backup says; the result of its job. */
export interface BackupSummary {
  readonly file: string;
  readonly bytes: number;
  readonly files: number;
  readonly sha256: string;
  readonly createdAt: string;
  readonly siteKey: "absent" | "sealed" | "plain";
}

export const upkeepProcedures = {
  "backup:start": procedure(
    z.object({
      file: z.string().min(1),
      /** Encrypts the site key; null leaves the key out, unless it is wanted as it is. */
      passphrase: z.string().nullable().default(null),
      plainKey: z.boolean().default(false),
    }),
  ).returns<{ jobId: string }>(),
} as const;
