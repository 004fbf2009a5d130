import { InvalidArgumentError, type Command } from "commander";
import type { Ledger } from "../../../shared/domain.ts";
import { UserError } from "../../../shared/errors.ts";
import { formatDelta, formatEpsilon, formatNumber } from "../../../shared/format.ts";
import { table } from "../output.ts";
import { numberArgument, withCore } from "../session.ts";
import { cohortNamed } from "./cohort.ts";

interface LedgerOptions {
  readonly verify?: boolean;
  readonly cap?: number | "none";
}

/** `ledger`: what a cohort's private runs have spent, its budget cap, and its chain. */
export function addLedgerCommands(program: Command): void {
  program
    .command("ledger <cohort>")
    .description("the cohort's privacy ledger and its composed epsilon")
    .option("--verify", "check the chain; exit code 1 where it was tampered with")
    .option("--cap <epsilon>", "set the budget cap, or none to remove it", capArgument)
    .action(async (name: string, options: LedgerOptions, command: Command) => {
      await withCore(command, async (core, output) => {
        const { id: cohortId } = await cohortNamed(core, name);
        const { cap } = options;
        const ledger =
          cap === undefined
            ? await core.call("ledger:show", { cohortId })
            : await core.call("ledger:set-cap", { cohortId, cap: cap === "none" ? null : cap });
        output.result(ledger, () => describeLedger(ledger));
        if (options.verify === true && !ledger.verification.intact) {
          throw new UserError("conflict", "the ledger does not verify; see the findings above.");
        }
      });
    });
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
      ...ledger.runs.map((run) => [
        run.runId,
        run.unit,
        formatNumber(run.samplingRate, 4),
        formatNumber(run.noiseMultiplier, 4),
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
      ]),
    ]),
    delta === null
      ? "No private run yet: epsilon 0."
      : `All together: epsilon ${formatEpsilon(ledger.epsilon)} at delta ${formatDelta(delta)}` +
        (byImage
          ? ` for the patient with the most images, ${formatEpsilon(ledger.medianEpsilon)} for the median`
          : ""),
    cap === null ? "No budget cap." : `Budget cap: epsilon ${String(cap)}.`,
    verification.intact
      ? `Chain intact, ${ledger.entries.length} entries.`
      : `TAMPERED:\n  ${verification.findings.join("\n  ")}`,
  ].join("\n");
}
