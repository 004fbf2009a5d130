import type {
  LedgerEntryKind,
  LedgerRelease,
  RunKind,
  RunState,
  SplitPart,
} from "../../shared/domain.ts";
import type { FindingKey } from "../../shared/findings.ts";
import { findings } from "../../shared/findings.ts";

export const partTitles: Readonly<Record<SplitPart, string>> = {
  train: "Training",
  validation: "Validation",
  test: "Test",
};

export const runKindTitles: Readonly<Record<RunKind, string>> = {
  private: "Private run",
  reference: "Reference run",
};

export const runStateTitles: Readonly<Record<RunState, string>> = {
  queued: "Waiting",
  running: "Running",
  stopped: "Stopped",
  failed: "Failed",
  finished: "Finished",
};

export const entryTitles: Readonly<Record<LedgerEntryKind, string>> = {
  "run-planned": "Run planned",
  "run-resumed": "Run resumed",
  "run-ended": "Run ended",
  "cap-changed": "Budget cap changed",
  release: "Held-out statistics",
};

export const releaseTitles: Readonly<Record<LedgerRelease["what"], string>> = {
  comparison: "Comparison shown",
  report: "Report written",
};

export function findingTitle(key: FindingKey): string {
  return findings.find((finding) => finding.key === key)?.title ?? key;
}
