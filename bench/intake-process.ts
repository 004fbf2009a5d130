import { join } from "node:path";
import { importPaths } from "../src/main/intake/intake.ts";
import { openDatabase } from "../src/main/store/database.ts";

/**
 * An import in a process of its own, whose memory is all the memory that it takes: data folder, cohort,
 * folder, workers. Says how many files are done; the last line is what came of it, as JSON.
 */
const [dataFolder = "", cohort = "", folder = "", workers = "2"] = process.argv.slice(2);
const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
let firstSeconds: number | null = null;
const started = performance.now();
const result = await importPaths({
  database,
  dataFolder,
  cohortId: Number(cohort),
  paths: [folder],
  workers: Number(workers),
  onProgress({ done, imported }) {
    if (imported > 0) firstSeconds ??= (performance.now() - started) / 1000;
    process.stdout.write(`done ${done}\n`);
  },
});
database.close();
const { quarantined, ...counts } = result;
process.stdout.write(
  JSON.stringify({
    ...counts,
    quarantined: quarantined.length,
    firstImportedSeconds: firstSeconds,
    peakMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
