import {
  knownAutomaticEngine,
  listEngines,
  rememberedAutomaticEngines,
} from "../../engine/registry.ts";
import { readNetworkFile } from "../../network/network-file.ts";
import { networkOf } from "../../network/networks.ts";
import { keysOf } from "../../../shared/findings.ts";
import { prepareFigures } from "../../training/account-service.ts";
import { createRuns, trainingDefaults } from "../../training/planning.ts";
import { quotePrivacy } from "../../training/quote.ts";
import { requestStop } from "../../training/recovery.ts";
import { ledgerQuestions, listRuns, runSummary } from "../../training/run-summaries.ts";
import { cohortSummary } from "../../store/cohorts.ts";
import { contributionsLeftOut, telemetryAfter } from "../../store/runs.ts";
import type { CoreContext } from "../context.ts";
import type { Handlers } from "./types.ts";

type TrainingProcedures =
  | "training:defaults"
  | "training:start"
  | "training:stop"
  | "privacy:quote"
  | "run:list"
  | "run:progress"
  | "run:telemetry"
  | "engine:list"
  | "network:read"
  | "engine:automatic"
  | "engine:measured";

export function trainingHandlers(context: CoreContext): Handlers<TrainingProcedures> {
  const { dataFolder, database, queue } = context;
  return {
    "training:defaults": ({ cohortId }) => trainingDefaults(database, cohortId),
    "privacy:quote": (choices) => quotePrivacy(database, choices),
    "training:start": (choices) => {
      const runIds = createRuns(database, choices);
      queue.add(runIds);
      context.emit("cohort:changed", { cohortId: choices.cohortId });
      return { runIds };
    },
    "training:stop": ({ runId }) => requestStop(database, runId),
    "run:list": async ({ cohortId }) => {
      cohortSummary(database, cohortId);
      await prepareFigures(ledgerQuestions(database, cohortId));
      return listRuns(database, cohortId);
    },
    "run:progress": ({ runId }) => {
      const live = queue.progress(runId);
      if (live !== null) return live;
      const run = runSummary(database, runId);
      return {
        run,
        phase: run.state,
        step: run.stepsJournaled,
        steps: run.plan.steps,
        stepsPerSecond: null,
        secondsLeft: null,
        latest: null,
        leftOut: contributionsLeftOut(database, runId),
      };
    },
    "run:telemetry": ({ runId, afterStep }) => telemetryAfter(database, runId, afterStep),
    "engine:list": () => listEngines(),
    "network:read": ({ cohortId, file }) => {
      const chosen = readNetworkFile(file);
      const labels = keysOf(cohortSummary(database, cohortId).scheme).length;
      return { ...chosen, parameters: networkOf(chosen, labels).parameterCount };
    },
    "engine:measured": () => rememberedAutomaticEngines(dataFolder),
    "engine:automatic": (task) => knownAutomaticEngine({ ...task, dataFolder }),
  };
}
