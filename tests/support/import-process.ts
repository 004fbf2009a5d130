import { join } from "node:path";
import { importPaths } from "../../src/main/intake/intake.ts";
import { openDatabase } from "../../src/main/store/database.ts";

/**
 * An import in a process of its own, for tests that kill it or run it as another user: data folder,
 * cohort, folder, and "retry" for the quarantined ones too. The last line is the result as JSON.
 */
const [dataFolder = "", cohort = "", folder = "", retry = ""] = process.argv.slice(2);
const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
process.stdout.write("started\n");
const result = await importPaths({
  database,
  dataFolder,
  cohortId: Number(cohort),
  paths: [folder],
  workers: 2,
  retryQuarantined: retry === "retry",
  onProgress({ imported }) {
    if (imported > 0) process.stdout.write("committed\n");
  },
});
database.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
