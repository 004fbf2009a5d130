import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import type { Ledger, LedgerRun } from "../../../shared/domain.ts";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { formatCounted, formatDelta, formatEpsilon, formatNumber } from "../../../shared/format.ts";
import { describeGap } from "../../../shared/ledger-gaps.ts";
import type { Core } from "../../core/core.ts";
import { exportStandsIn, verifyLedgerExport } from "../../training/ledger-export.ts";
import { table, type Output } from "../output.ts";
import { numberArgument, outputOf, withCore } from "../session.ts";
import { cohortNamed } from "./cohort.ts";

interface LedgerOptions {
  readonly verify?: boolean;
  readonly cap?: number | "none";
  readonly acknowledgeGap?: string;
  readonly export?: string;
  readonly against?: string;
  readonly verifyExport?: string;
}

/** `ledger`: what a cohort's private runs have spent, its budget cap, its chain, its export. */
export function addLedgerCommands(program: Command): void {
  program
    .command("ledger [cohort]")
    .description("the cohort's privacy ledger and its composed epsilon")
    .option("--verify", "check the chain; exit code 1 where it was tampered with")
    .option("--against <file>", "also check that an older export still stands in the ledger")
    .option("--cap <epsilon>", "set the budget cap, or none to remove it", capArgument)
    .option(
      "--acknowledge-gap <reason>",
      "record why the newest entries are missing; it stays in the ledger",
    )
    .option("--export <file>", "write the ledger as JSON, signed with the site's key")
    .option("--verify-export <file>", "check such a file; needs no cohort and no store")
    .action(async (name: string | undefined, options: LedgerOptions, command: Command) => {
      if (options.verifyExport !== undefined) {
        verifyExport(options.verifyExport, outputOf(command));
        return;
      }
      if (name === undefined) {
        command.error("error: name a cohort, or give --verify-export FILE", { exitCode: 2 });
      }
      await withCore(command, (core, output) => onLedger(core, output, name, options));
    });
}

async function onLedger(
  core: Core,
  output: Output,
  name: string,
  options: LedgerOptions,
): Promise<void> {
  const { id: cohortId } = await cohortNamed(core, name);
  if (options.cap !== undefined) {
    const cap = options.cap === "none" ? null : options.cap;
    await core.call("ledger:set-cap", { cohortId, cap });
  }
  if (options.acknowledgeGap !== undefined) {
    await core.call("ledger:acknowledge-gap", { cohortId, reason: options.acknowledgeGap });
  }
  if (options.export !== undefined) {
    const written = await core.call("ledger:export", { cohortId, file: resolve(options.export) });
    output.result(
      written,
      () =>
        `${written.file}: ${formatCounted(written.entries, "entry", "entries")}, key ${written.fingerprint}`,
    );
    return;
  }
  const complete = options.verify === true || options.against !== undefined;
  const ledger = await core.call("ledger:show", { cohortId, complete });
  const lost =
    options.against === undefined
      ? []
      : exportStandsIn(readText(options.against), options.against, ledger);
  output.result(ledger, () => describeLedger(ledger));
  for (const finding of lost) output.message(finding);
  if (complete && (!ledger.verification.intact || lost.length > 0)) {
    throw new UserError("conflict", "the ledger does not verify; see the findings above.");
  }
}

function verifyExport(file: string, output: Output): void {
  const found = verifyLedgerExport(readText(file), file);
  output.result(found, () =>
    [
      `${found.cohort}: ${formatCounted(found.entries, "entry", "entries")}, epsilon ` +
        (found.epsilon === null ? "∞" : formatEpsilon(found.epsilon)) +
        (found.delta === null ? "" : ` at delta ${formatDelta(found.delta)}`),
      `Signed with the key of fingerprint ${found.fingerprint}: compare it with the site's.`,
      ...found.gaps.map(describeGap),
      found.valid
        ? "Signature, chain and figures match."
        : `DOES NOT MATCH:\n  ${found.findings.join("\n  ")}`,
    ].join("\n"),
  );
  if (!found.valid) {
    throw new UserError("conflict", `${file} does not verify; see the findings above.`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(resolve(file), "utf8");
  } catch (thrown) {
    throw new UserError("input", `${file} cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

function capArgument(text: string): number | "none" {
  if (text === "none") return "none";
  const cap = numberArgument(text);
  if (!(cap > 0)) throw new InvalidArgumentError("an epsilon above 0, or none, is needed");
  return cap;
}

function describeLedger(ledger: Ledger): string {
  const { verification, delta, cap } = ledger;
  const byImage = ledger.runs.some((run) => run.unit === "image");
  const patient = byImage ? ["patient's epsilon (most)", "(median)"] : [];
  return [
    table([
      ["run", "unit", "q", "sigma", "planned", "spent", "epsilon", ...patient, "state"],
      ...ledger.runs.flatMap((run) => [
        lineOfRun(run, byImage),
        ...(run.classCounts === undefined
          ? []
          : [lineOfClassCounts(run, run.classCounts, byImage)]),
      ]),
    ]),
    ledger.runs.some((run) => run.classCounts !== undefined)
      ? "Class counts are part of their run's epsilon; their line shows what they cost alone."
      : null,
    delta === null
      ? "No private run yet: epsilon 0."
      : `All together: epsilon ${formatEpsilon(ledger.epsilon)} at delta ${formatDelta(delta)}` +
        (byImage
          ? ` for the patient with the most images, ${formatEpsilon(ledger.medianEpsilon)} for the median`
          : ""),
    cap === null ? "No budget cap." : `Budget cap: epsilon ${String(cap)}.`,
    ...verification.gaps.map(describeGap),
    verification.intact
      ? `Chain intact, ${formatCounted(ledger.entries.length, "entry", "entries")}.`
      : `TAMPERED:\n  ${verification.findings.join("\n  ")}`,
    verification.canBeAcknowledged
      ? "If you know why, as after a restored backup, record it with --acknowledge-gap REASON."
      : null,
  ]
    .filter((line) => line !== null)
    .join("\n");
}

function lineOfRun(run: LedgerRun, byImage: boolean): (string | number)[] {
  return [
    run.runId,
    run.unit,
    formatNumber(run.samplingRate, 4),
    `${formatNumber(run.noiseMultiplier, 4)}${run.noise === undefined ? "" : " (discrete)"}`,
    run.stepsPlanned,
    run.stepsSpent,
    formatEpsilon(run.epsilon),
    ...(byImage
      ? [
          formatEpsilon(run.patient?.epsilon ?? run.epsilon),
          formatEpsilon(run.patient?.medianEpsilon ?? run.epsilon),
        ]
      : []),
    run.state,
  ];
}

function lineOfClassCounts(
  run: LedgerRun,
  counts: NonNullable<LedgerRun["classCounts"]>,
  byImage: boolean,
): (string | number)[] {
  return [
    "  its class counts",
    run.unit,
    "1",
    `${formatNumber(counts.noiseMultiplier, 4)} (discrete)`,
    1,
    counts.spent ? 1 : 0,
    formatEpsilon(counts.epsilon),
    ...(byImage ? [formatEpsilon(counts.patientEpsilon), "–"] : []),
    counts.spent ? "spent" : "not drawn",
  ];
}
