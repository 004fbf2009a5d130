import { join } from "node:path";
import { importPaths } from "../../src/main/intake/intake.ts";
import { openDatabase } from "../../src/main/store/database.ts";

/** An import in a process of its own, for tests that kill it: data folder, cohort, folder. */
const [dataFolder = "", cohort = "", folder = ""] = process.argv.slice(2);
const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
process.stdout.write("started\n");
await importPaths({
  database,
  dataFolder,
  cohortId: Number(cohort),
  paths: [folder],
  workers: 2,
  onProgress({ imported }) {
    if (imported > 0) process.stdout.write("committed\n");
  },
});
database.close();
