/**
 * Where a run's time goes: the share of its steps that is spent in the engine, and what it waits for
 * data, journal and noise. Makes phantoms, imports them, trains privately and without privacy by the
 * command line, and reads what each run wrote into its log when its steps were over.
 *
 *     node bench/loop.ts [--network resnet9] [--resolution 128] [--patients 240] [--epochs 2]
 *       [--batch EXPECTED]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9" },
    resolution: { type: "string", default: "128" },
    patients: { type: "string", default: "240" },
    epochs: { type: "string", default: "2" },
    batch: { type: "string" },
  },
});
const program = join(import.meta.dirname, "../src/main/cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "silhouette-loop-"));
const films = join(folder, "films");
const data = join(folder, "data");
const silhouette = (...words: string[]): void => {
  execFileSync(process.execPath, [program, "--data", data, "--json", ...words], {
    stdio: ["ignore", "ignore", "inherit"],
  });
};

try {
  const size = ["--size", args.resolution];
  silhouette("phantoms", films, "--patients", args.patients, "--seed", "1", ...size);
  silhouette("import", "loop", films, "--frame", args.resolution);
  silhouette("labels", "loop", join(films, "labels.csv"));
  const shape = ["--network", args.network, "--resolution", args.resolution];
  const batch = args.batch === undefined ? [] : ["--batch", args.batch];
  const steps = ["--epochs", args.epochs, ...batch];
  for (const privacy of [["--epsilon", "8"], ["--non-private"]])
    silhouette("train", "loop", ...privacy, ...steps, ...shape);
  for (const run of readdirSync(join(data, "runs"))) {
    const log = readFileSync(join(data, "runs", run, "trainer.log"), "utf8");
    console.log(/^.*run .* on .*$/m.exec(log)?.[0] ?? run);
    console.log(/^.*the steps took .*$/m.exec(log)?.[0] ?? `${run} says nothing of its steps`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
