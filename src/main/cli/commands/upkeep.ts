import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { BackupSummary } from "../../../shared/contract/upkeep.ts";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { formatCount, formatCounted } from "../../../shared/format.ts";
import { openCore } from "../../core/core.ts";
import { restoreBackup } from "../../store/backup/restore.ts";
import { dataFolder } from "../../store/data-folder.ts";
import { dataOption, outputOf, waitForJob, withCore } from "../session.ts";

const keyTitles: Readonly<Record<BackupSummary["siteKey"], string>> = {
  absent:
    "The site key is not in it: keep a copy of site.key elsewhere, or give --passphrase-file.",
  sealed: "The site key is in it, encrypted with the passphrase.",
  plain: "The site key is in it as it is: guard this file like the original films.",
};

/** `backup`, `restore`. */
export function addUpkeepCommands(program: Command): void {
  program
    .command("backup <file>")
    .description("one file with the store, the image cache and the runs, also while in use")
    .option("--passphrase-file <file>", "encrypt the site key with the first line of this file")
    .option("--include-key", "put the site key in as it is")
    .action(
      async (
        file: string,
        options: { passphraseFile?: string; includeKey?: boolean },
        command: Command,
      ) => {
        if (options.passphraseFile !== undefined && options.includeKey === true) {
          command.error("error: give --passphrase-file or --include-key, not both", {
            exitCode: 2,
          });
        }
        const passphrase = passphraseIn(options.passphraseFile);
        await withCore(command, async (core, output) => {
          const { jobId } = await core.call("backup:start", {
            file: resolve(file),
            passphrase,
            plainKey: options.includeKey === true,
          });
          const written = await waitForJob<BackupSummary>(core, output, jobId);
          output.result(
            written,
            () =>
              `${written.file}: ${formatCounted(written.files, "file")}, ` +
              `${formatCount(written.bytes)} bytes\n${keyTitles[written.siteKey]}`,
          );
        });
      },
    );

  program
    .command("restore <file>")
    .description("restore a backup into an empty data folder, and check it")
    .option("--passphrase-file <file>", "the passphrase of the site key, in the first line")
    .action(async (file: string, options: { passphraseFile?: string }, command: Command) => {
      const output = outputOf(command);
      const folder = dataFolder(dataOption(command));
      const restored = await restoreBackup({
        file: resolve(file),
        dataFolder: folder,
        passphrase: passphraseIn(options.passphraseFile),
        onProgress: (bytes) => {
          output.progress(`Restoring: ${formatCount(bytes)} bytes`);
        },
      });
      const ledgers = await checkLedgers(folder);
      const findings = ledgers.flatMap((ledger) => ledger.findings);
      output.result({ ...restored, ledgers }, () =>
        [
          `${formatCounted(restored.files, "file")} restored to ${folder}; every checksum agrees.`,
          `${ledgers.length} ledgers checked${findings.length === 0 ? ": intact." : ":"}`,
          ...findings.map((finding) => `  ${finding}`),
          `The ledgers end on ${restored.createdAt}. Budget that was spent later is not in them.`,
          ...(restored.siteKey === "restored"
            ? []
            : ["The site key is missing: put site.key there before you import films or labels."]),
        ].join("\n"),
      );
      if (findings.length > 0) {
        throw new UserError("conflict", "a ledger does not verify; see the findings above.");
      }
    });
}

async function checkLedgers(folder: string) {
  const core = await openCore({ dataFolder: folder });
  try {
    const ledgers = [];
    for (const { id, name } of await core.call("cohort:list", {})) {
      const { verification, epsilon } = await core.call("ledger:show", { cohortId: id });
      ledgers.push({ cohort: name, epsilon, ...verification });
    }
    return ledgers;
  } finally {
    await core.close();
  }
}

function passphraseIn(file: string | undefined): string | null {
  if (file === undefined) return null;
  try {
    const [line = ""] = readFileSync(resolve(file), "utf8").split(/\r?\n/);
    return line;
  } catch (thrown) {
    throw new UserError("input", `${file} cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
