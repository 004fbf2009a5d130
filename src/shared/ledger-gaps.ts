import type { LedgerGap } from "./domain.ts";

/** A gap in words, for the screen, the command line and the report. */
export function describeGap(gap: LedgerGap): string {
  const { what, by, reason, missing, backupAt, sequence } = gap;
  const on = gap.recordedAt.slice(0, 10);
  const who = by === null ? "" : ` by ${by}`;
  if (what === "restored") {
    return (
      `The ledger was restored on ${on}${who} from a backup of ${(backupAt ?? "").slice(0, 16).replace("T", " ")} ` +
      `(entry ${sequence}). Budget that was spent between the two is not counted.`
    );
  }
  const one = missing !== null && missing.from === missing.to;
  const entries =
    missing === null
      ? "Entries"
      : one
        ? `Entry ${missing.from}`
        : `Entries ${missing.from} to ${missing.to}`;
  return (
    `${entries} of the ledger went missing at its end; acknowledged on ${on}${who} (entry ${sequence}): ` +
    `"${(reason ?? "").replace(/[.\s]+$/, "")}". What ${one ? "it" : "they"} recorded is not counted.`
  );
}
