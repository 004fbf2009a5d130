import type { QuarantineCount, QuarantinedFile } from "../../shared/domain.ts";
import type { Database } from "./database.ts";
import type { SiteIdentity } from "./identity.ts";

/** How many files each reason holds back, the most first. */
export function quarantineCounts(database: Database, cohortId: number): readonly QuarantineCount[] {
  return database
    .prepare(
      `SELECT reason_code AS code, count(*) AS files FROM source_file
       WHERE cohort_id = ? AND outcome = 'quarantined' GROUP BY 1 ORDER BY 2 DESC, 1`,
    )
    .all(cohortId) as QuarantineCount[];
}

/**
 * A window of the cohort's quarantine, newest first, with the paths opened for the person at the
 * screen; all of it where no limit is given.
 */
export function quarantinePage(
  database: Database,
  identity: SiteIdentity,
  query: {
    readonly cohortId: number;
    readonly code: string | null;
    readonly fileIds?: readonly number[] | null;
    readonly offset?: number;
    readonly limit?: number;
  },
): readonly QuarantinedFile[] {
  const { cohortId, code, fileIds = null, offset = 0, limit = -1 } = query;
  const rows = database
    .prepare(
      `SELECT id, path_sealed AS sealed, reason_code AS code, reason, recorded_at AS recordedAt
       FROM source_file WHERE cohort_id = @cohortId AND outcome = 'quarantined'
         AND (@code IS NULL OR reason_code = @code)
         AND (@ids IS NULL OR id IN (SELECT value FROM json_each(@ids)))
       ORDER BY id DESC LIMIT @limit OFFSET @offset`,
    )
    .all({
      cohortId,
      code,
      ids: fileIds === null ? null : JSON.stringify(fileIds),
      limit,
      offset,
    }) as readonly (Omit<QuarantinedFile, "path"> & { readonly sealed: Uint8Array })[];
  return rows.map(({ sealed, ...row }) => ({
    ...row,
    path: identity.locked ? unknownPath : identity.open(sealed),
  }));
}

/** In a folder that was restored without its site key paths cannot be opened. */
const unknownPath = "(path sealed; the site key is missing)";
