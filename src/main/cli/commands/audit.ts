import type { Command } from "commander";
import type { AuditResult } from "../../../shared/audit.ts";
import {
  formatDelta,
  formatEpsilon,
  formatInterval,
  formatNumber,
} from "../../../shared/format.ts";
import { numberArgument, waitForJob, wholeNumber, withCore } from "../session.ts";

interface AuditOptions {
  readonly shadowModels?: number;
  readonly shadowEpochs?: number;
}

/** `audit`. */
export function addAuditCommands(program: Command): void {
  program
    .command("audit <run>")
    .description("claimed epsilon, audited lower bound, attack figures")
    .option("--shadow-models <n>", "models for the likelihood-ratio attack, even", wholeNumber(0))
    .option("--shadow-epochs <n>", "their epochs (default: the run's)", numberArgument)
    .action(async (runId: string, options: AuditOptions, command: Command) => {
      await withCore(command, async (core, output) => {
        const { jobId } = await core.call("audit:start", {
          runId,
          shadowModels: options.shadowModels ?? 0,
          shadowEpochs: options.shadowEpochs ?? null,
        });
        const audit = await waitForJob<AuditResult>(core, output, jobId);
        const { canaryAudit } = audit;
        output.result(
          {
            run: audit.runId,
            kind: audit.kind,
            claimedEpsilon: audit.claimedEpsilon,
            delta: audit.delta,
            auditedLowerBound: canaryAudit?.lowerBound ?? null,
            confidence: canaryAudit?.confidence ?? null,
            canaries: canaryAudit?.canaries ?? 0,
            guesses: canaryAudit?.guesses ?? 0,
            correct: canaryAudit?.correct ?? 0,
            canaryAudit,
            attacks: audit.attacks,
          },
          () => describeAudit(audit),
        );
      });
    });
}

const attackTitles = {
  "loss-threshold": "Loss threshold",
  "likelihood-ratio": "Likelihood ratio",
} as const;

function describeAudit({ claimedEpsilon, delta, canaryAudit, attacks }: AuditResult): string {
  return [
    claimedEpsilon === null
      ? "Claimed epsilon: none (a reference run)"
      : `Claimed epsilon: ${formatEpsilon(claimedEpsilon)} at delta ${formatDelta(delta ?? 0)}`,
    canaryAudit === null
      ? "Audited lower bound: none, since the run had no canaries (train --canaries M)."
      : `Audited lower bound: ${formatNumber(canaryAudit.lowerBound, 2)} at ` +
        `${100 * canaryAudit.confidence} % confidence, ${canaryAudit.correct} of ` +
        `${canaryAudit.guesses} guesses right about ${canaryAudit.canaries} canaries ` +
        `(these could show at most ${formatNumber(canaryAudit.highestPossible, 2)})`,
    canaryAudit?.coinsAsCommitted === false
      ? "WARNING: the canaries' coins are not those that the ledger committed to."
      : "",
    ...attacks.map(
      (attack) =>
        `${attackTitles[attack.attack]} attack on ${attack.members} training and ` +
        `${attack.nonMembers} held-out patients: AUROC ${formatInterval(attack.auroc)}, ` +
        `true-positive rate ${formatInterval(attack.tprAt1Percent)} at 1 % and ` +
        `${formatInterval(attack.tprAt01Percent)} at 0.1 % false positives`,
    ),
  ]
    .filter((line) => line !== "")
    .join("\n");
}
