import { openDatabase } from "../../../src/main/store/database.ts";
import { startRun } from "../../../src/main/training/run-host.ts";

/** A core that carries one run and nothing else: `core-process STORE DATA_FOLDER RUN TRAINER`. */
const [store = "", dataFolder = "", runId = "", trainerFile = ""] = process.argv.slice(2);
const database = openDatabase(store);
const { done } = startRun({ database, dataFolder, runId, trainerFile });
await done;
database.close();
