import { z } from "zod";

/** Name of the last entry of a backup: without it the archive is not whole. */
export const manifestName = "manifest.json";

export const backupManifestSchema = z.object({
  format: z.literal("silhouette-backup"),
  version: z.literal(1),
  createdAt: z.string(),
  appVersion: z.string(),
  /** How the site key is in it, if at all. */
  siteKey: z.enum(["absent", "sealed", "plain"]),
  /** Every file before the manifest, in the order of the archive. */
  files: z.array(
    z.object({ name: z.string(), bytes: z.int().min(0), sha256: z.string().length(64) }),
  ),
});

/** What a backup says of itself. */
export type BackupManifest = z.infer<typeof backupManifestSchema>;
