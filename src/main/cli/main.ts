import { Command, CommanderError } from "commander";
import { messageOf, UserError } from "../../shared/errors.ts";
import { version } from "../core/version.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addCohortCommands } from "./commands/cohort.ts";
import { addDemoCommands } from "./commands/demo.ts";
import { addEngineCommands } from "./commands/engine.ts";
import { addFilmCommands } from "./commands/film.ts";
import { addLedgerCommands } from "./commands/ledger.ts";
import { addPrivacyCommands } from "./commands/privacy.ts";
import { addReleaseCommands } from "./commands/release.ts";
import { addReportCommands } from "./commands/report.ts";
import { addUpkeepCommands } from "./commands/upkeep.ts";
import { addTrainingCommands } from "./commands/training.ts";

const exitFailed = 1;
const exitWrongUsage = 2;

/** The program with all its commands, ready to parse a command line. */
function program(): Command {
  const silhouette = new Command("silhouette")
    .description("Train chest-radiograph models under differential privacy, on one workstation.")
    .version(version)
    .option("--json", "print one JSON object on standard output and nothing else there")
    .option("--data <folder>", "the data folder (default: the app's own)")
    .showHelpAfterError("(--help shows the commands and their options)");
  addDemoCommands(silhouette);
  addCohortCommands(silhouette);
  addFilmCommands(silhouette);
  addPrivacyCommands(silhouette);
  addTrainingCommands(silhouette);
  addLedgerCommands(silhouette);
  addReportCommands(silhouette);
  addAuditCommands(silhouette);
  addReleaseCommands(silhouette);
  addEngineCommands(silhouette);
  addUpkeepCommands(silhouette);
  applyToAll(silhouette, (command) => command.exitOverride());
  return silhouette;
}

function applyToAll(command: Command, apply: (command: Command) => void): void {
  apply(command);
  for (const child of command.commands) applyToAll(child, apply);
}

async function main(): Promise<number> {
  try {
    await program().parseAsync(process.argv);
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : exitWrongUsage;
    process.stderr.write(`silhouette: ${messageOf(thrown)}\n`);
    if (!(thrown instanceof UserError) && thrown instanceof Error) {
      process.stderr.write(`${thrown.stack ?? ""}\n`);
    }
    return exitFailed;
  }
}

process.exitCode = await main();
