import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The program of a thread of this folder: the source beside this file, or the built one beside the
 * bundle.
 */
export function workerFile(name: "noise-worker" | "image-worker" | "checkpoint-worker"): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith(".ts")) return join(dirname(here), `${name}.ts`);
  const places = [dirname(here), dirname(dirname(here))];
  const found = places.map((place) => join(place, `${name}.js`)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name}.js was not built beside ${here}.`);
  return found;
}
