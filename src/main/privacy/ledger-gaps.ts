import type { LedgerGap } from "../../shared/domain.ts";
import type { ChainedEntry, LedgerHead } from "./ledger.ts";
import { parsed } from "./stored-json.ts";

/** What a "gap-acknowledged" entry says. */
export interface GapAcknowledgedBody {
  readonly by: string | null;
  readonly reason: string;
  /** The newest entry that was ever seen. */
  readonly keptHead: LedgerHead;
  /** The newest entry that was there; null where there was none. */
  readonly lastEntry: LedgerHead | null;
}

/** What a "restored" entry says. */
export interface RestoredBody {
  readonly by: string | null;
  readonly backupAt: string;
}

/** The gaps that entries record, oldest first. */
export function gapsIn(entries: readonly ChainedEntry[]): LedgerGap[] {
  return entries.flatMap((entry): LedgerGap[] => {
    const { sequence, recordedAt } = entry;
    if (entry.kind === "restored") {
      const { by = null, backupAt = null } = (parsed(entry.body) ?? {}) as Partial<RestoredBody>;
      return [
        { sequence, recordedAt, what: "restored", by, backupAt, reason: null, missing: null },
      ];
    }
    const body = acknowledgement(entry);
    if (body === null) return [];
    const from = (body.lastEntry?.sequence ?? 0) + 1;
    const to = body.keptHead.sequence;
    const missing = from <= to ? { from, to } : { from: to, to };
    const { by, reason } = body;
    return [{ sequence, recordedAt, what: "acknowledged", by, reason, missing, backupAt: null }];
  });
}

function acknowledgement({ kind, body }: ChainedEntry): GapAcknowledgedBody | null {
  if (kind !== "gap-acknowledged") return null;
  const {
    by = null,
    reason = "",
    keptHead,
    lastEntry = null,
  } = (parsed(body) ?? {}) as Partial<GapAcknowledgedBody>;
  return keptHead === undefined ? null : { by, reason, keptHead, lastEntry };
}

/**
 * Whether a head that was kept apart belongs to these entries: it is one of them, or somebody has
 * acknowledged that it is there no more. Only then may a newer head take its place.
 */
export function headBelongs(entries: readonly ChainedEntry[], head: LedgerHead): boolean {
  return entries.some(
    (entry) =>
      (entry.sequence === head.sequence && entry.hash === head.hash) ||
      acknowledgement(entry)?.keptHead.hash === head.hash,
  );
}
