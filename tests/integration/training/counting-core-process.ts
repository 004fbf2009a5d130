import { openDatabase } from "../../../src/main/store/database.ts";
import { startRun } from "../../../src/main/training/run-host.ts";

/** A core that dies as it is about to add the noise to class counts: `... STORE DATA_FOLDER RUN`. */
const [store = "", dataFolder = "", runId = ""] = process.argv.slice(2);
startRun({
  database: openDatabase(store),
  dataFolder,
  runId,
  drawCounts: () => {
    process.kill(process.pid, "SIGKILL");
    throw new Error("killed");
  },
});
