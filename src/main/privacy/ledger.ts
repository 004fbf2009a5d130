import { createHash } from "node:crypto";
import type { LedgerEntryKind, LedgerVerification, RunState } from "../../shared/domain.ts";
import { gapsIn, headBelongs } from "./ledger-gaps.ts";
import { parsed } from "./stored-json.ts";

/**
 * The ledger's mathematics, without a store: what a hash covers, and how a chain is checked.
 *
 * Every entry's hash covers its content and the hash of the entry before it. Every journaled
 * step's hash covers the step and the hash before it, where the first follows the run's
 * "run-planned" entry; the run's "run-ended" entry repeats the number of steps and the last hash.
 * So no row can be changed, removed, inserted or moved without a break that names it. What no
 * chain inside one file can show is the removal of its newest rows together with all that refers
 * to them: for that, keep an export elsewhere.
 */

/** What stands before the first entry of a ledger. */
export const genesisHash = "0".repeat(64);

/** An entry without its own hash; `body` is the exact JSON text that the hash covers. */
export interface LedgerEntryContent {
  readonly cohortId: number;
  readonly sequence: number;
  readonly recordedAt: string;
  readonly kind: LedgerEntryKind;
  readonly runId: string | null;
  readonly body: string;
  readonly previousHash: string;
}

export interface ChainedEntry extends LedgerEntryContent {
  readonly hash: string;
}

/** The newest entry of a ledger that was ever seen, kept apart from the ledger. */
export interface LedgerHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface JournaledStep {
  readonly step: number;
  readonly recordedAt: string;
  readonly hash: string;
}

/** What the store holds of one run, to be set against the ledger. */
export interface RunEvidence {
  readonly runId: string;
  readonly state: RunState;
  /** The plan as the run's row has it, JSON text. */
  readonly plan: string;
  /** In the order of steps; or, of a long one that has ended, how many rows and the last of them. */
  readonly journal:
    Iterable<JournaledStep> | { readonly rows: number; readonly last: JournaledStep | null };
}

/** SHA-256 over the fields as a JSON array, so that no two contents share a text. */
export function ledgerEntryHash(entry: LedgerEntryContent): string {
  return sha256([
    "ledger",
    entry.cohortId,
    entry.sequence,
    entry.recordedAt,
    entry.kind,
    entry.runId,
    entry.previousHash,
    entry.body,
  ]);
}

/** The entry that follows `previous` (null for the first of a ledger). */
export function chainEntry(
  previous: Pick<ChainedEntry, "sequence" | "hash"> | null,
  content: Omit<LedgerEntryContent, "sequence" | "previousHash">,
): ChainedEntry {
  const linked = {
    ...content,
    sequence: (previous?.sequence ?? 0) + 1,
    previousHash: previous?.hash ?? genesisHash,
  };
  return { ...linked, hash: ledgerEntryHash(linked) };
}

/** The hash of a journaled step; `previousHash` is the run's "run-planned" hash before step 1. */
export function journalHash(
  previousHash: string,
  runId: string,
  step: Omit<JournaledStep, "hash">,
): string {
  return sha256(["step", runId, step.step, step.recordedAt, previousHash]);
}

/** What a "run-ended" entry says. */
export interface RunEndedBody {
  readonly state: RunState;
  readonly steps: number;
  readonly journalHash: string;
}

/**
 * Checks a whole ledger against itself and against the runs and journals of the store.
 *
 * @param head the newest entry that was ever seen, kept apart from the entries
 * @returns one finding for each break, naming the entry or the run and step.
 */
export function verifyLedger(
  cohortId: number,
  entries: readonly ChainedEntry[],
  runs: readonly RunEvidence[],
  head: LedgerHead | null = null,
): LedgerVerification {
  const atTheEnd = headFindings(entries, head);
  const others = [
    ...chainFindings(cohortId, entries),
    ...runs.flatMap((run) => runFindings(run, entries)),
    ...strayEntryFindings(entries, runs),
  ];
  const findings = [...others, ...atTheEnd];
  return {
    intact: findings.length === 0,
    canBeAcknowledged: atTheEnd.length > 0 && others.length === 0,
    gaps: gapsIn(entries),
    findings,
  };
}

/** The breaks of a chain of entries, each named; empty where there is none. */
export function chainFindings(cohortId: number, entries: readonly ChainedEntry[]): string[] {
  const findings: string[] = [];
  let previousHash = genesisHash;
  let expectedSequence = 1;
  for (const entry of entries) {
    const name = entryName(entry);
    if (entry.sequence !== expectedSequence) {
      findings.push(`Ledger entry ${expectedSequence} is missing before entry ${entry.sequence}.`);
    }
    if (entry.cohortId !== cohortId) findings.push(`${name} belongs to another cohort.`);
    if (ledgerEntryHash(entry) !== entry.hash) {
      findings.push(`${name} was changed: its hash does not match its content.`);
    }
    if (entry.previousHash !== previousHash) {
      findings.push(
        `${name} does not follow the entry before it: an entry was changed, removed or moved.`,
      );
    }
    previousHash = entry.hash;
    expectedSequence = entry.sequence + 1;
  }
  return findings;
}

/** What a head that was kept apart tells of the entries: that the newest were cut off, or another. */
function headFindings(entries: readonly ChainedEntry[], head: LedgerHead | null): string[] {
  if (head === null || headBelongs(entries, head)) return [];
  const last = entries.at(-1)?.sequence ?? 0;
  if (last < head.sequence) {
    const first = last + 1;
    const missing =
      first === head.sequence
        ? `Ledger entry ${first} is missing at the end: it was`
        : `Ledger entries ${first} to ${head.sequence} are missing at the end: they were`;
    return [`${missing} removed, or the store was put back to an older state.`];
  }
  return [`Ledger entry ${head.sequence} is not the one that stood there before.`];
}

/** How a finding names an entry: "Ledger entry 3 (run-planned of run p-1)". */
function entryName({ sequence, kind, runId }: ChainedEntry): string {
  return `Ledger entry ${sequence} (${runId === null ? kind : `${kind} of run ${runId}`})`;
}

function runFindings(run: RunEvidence, entries: readonly ChainedEntry[]): string[] {
  const planned = entries.filter((e) => e.runId === run.runId && e.kind === "run-planned");
  const ended = entries.filter((e) => e.runId === run.runId && e.kind === "run-ended");
  const [plan] = planned;
  const findings: string[] = [];
  if (planned.length > 1) findings.push(`Run ${run.runId} was planned more than once.`);
  if (plan !== undefined && planOf(plan.body) !== reformatted(run.plan)) {
    findings.push(
      `The plan of run ${run.runId} differs from the one in ledger entry ${plan.sequence}.`,
    );
  }

  const journal =
    "rows" in run.journal
      ? summarised(run.runId, run.journal, findings)
      : walked(run.runId, run.journal, plan?.hash ?? genesisHash, findings);
  if (plan === undefined && journal.steps > 0) {
    findings.push(`Run ${run.runId} has journaled steps but no plan in the ledger.`);
  }
  findings.push(...classCountsFindings(run, entries, journal.steps));
  return [...findings, ...endFindings(run, plan, ended, journal)];
}

/** Class counts are entered once, before the first step, where the plan has any. */
function classCountsFindings(
  run: RunEvidence,
  entries: readonly ChainedEntry[],
  steps: number,
): string[] {
  const drawn = entries.filter((e) => e.runId === run.runId && e.kind === "class-counts");
  if (drawn.length > 1) return [`Run ${run.runId} has drawn its class counts more than once.`];
  const plan = parsed(run.plan) as
    { readonly privacy?: { readonly classCounts?: unknown } | null } | null | undefined;
  if (drawn.length === 1 || steps === 0 || plan?.privacy?.classCounts === undefined) return [];
  return [`Run ${run.runId} trained with class counts, but the ledger has no entry of them.`];
}

interface JournalEnd {
  readonly steps: number;
  readonly hash: string;
}

/** The end of a long journal without reading it all: it must have as many rows as steps. */
function summarised(
  runId: string,
  { rows, last }: { readonly rows: number; readonly last: JournaledStep | null },
  findings: string[],
): JournalEnd {
  const steps = last?.step ?? 0;
  if (rows !== steps) {
    findings.push(`The journal of run ${runId} has ${rows} rows for ${steps} steps.`);
  }
  return { steps, hash: last?.hash ?? genesisHash };
}

/** The end of a journal, each row checked against the one before it. */
function walked(
  runId: string,
  journal: Iterable<JournaledStep>,
  firstHash: string,
  findings: string[],
): JournalEnd {
  let steps = 0;
  let hash = firstHash;
  let broken = false;
  for (const row of journal) {
    if (row.step !== steps + 1 && !broken) {
      findings.push(`Step ${steps + 1} is missing from the journal of run ${runId}.`);
      broken = true;
    }
    if (journalHash(hash, runId, row) !== row.hash && !broken) {
      findings.push(`Step ${row.step} in the journal of run ${runId} was changed or moved.`);
      broken = true;
    }
    hash = row.hash;
    steps = row.step;
  }
  return { steps, hash };
}

function endFindings(
  run: RunEvidence,
  plan: ChainedEntry | undefined,
  ended: readonly ChainedEntry[],
  journal: JournalEnd,
): string[] {
  const last = ended.at(-1);
  const over = run.state === "stopped" || run.state === "failed" || run.state === "finished";
  if (last === undefined) {
    return over && plan !== undefined
      ? [`Run ${run.runId} is ${run.state}, but the ledger has no entry of its end.`]
      : [];
  }
  const body = parsed(last.body) as Partial<RunEndedBody> | null;
  const findings: string[] = [];
  if (over && body?.state !== run.state) {
    findings.push(
      `Run ${run.runId} is ${run.state}, but ledger entry ${last.sequence} says ` +
        `${String(body?.state)}.`,
    );
  }
  // A run that was resumed has journaled on since; its next end will be checked in turn.
  if (!over) return findings;
  if (body?.steps !== journal.steps) {
    findings.push(
      `Ledger entry ${last.sequence} says that run ${run.runId} took ${String(body?.steps)} ` +
        `steps, but its journal has ${journal.steps}.`,
    );
  } else if (body.journalHash !== journal.hash) {
    findings.push(
      `The journal of run ${run.runId} does not end as ledger entry ${last.sequence} says.`,
    );
  }
  return findings;
}

function strayEntryFindings(
  entries: readonly ChainedEntry[],
  runs: readonly RunEvidence[],
): string[] {
  const known = new Set(runs.map((run) => run.runId));
  return entries
    .filter(({ kind, runId }) => kind === "run-planned" && !known.has(runId ?? ""))
    .map(
      ({ sequence, runId }) =>
        `Run ${runId ?? "(none)"} of ledger entry ${sequence} is no longer in the store.`,
    );
}

function planOf(body: string): string | null {
  const value = parsed(body);
  if (typeof value !== "object" || value === null || !("plan" in value)) return null;
  return JSON.stringify(value.plan);
}

function reformatted(text: string): string | null {
  const value = parsed(text);
  return value === undefined ? null : JSON.stringify(value);
}

function sha256(fields: readonly (string | number | null)[]): string {
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}
