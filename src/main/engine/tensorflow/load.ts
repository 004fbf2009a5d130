import { createRequire } from "node:module";
import util from "node:util";
import { UserError } from "../../../shared/errors.ts";
import type { TensorFlow } from "./operations.ts";

export const packageName = "@tensorflow/tfjs-node-gpu";

const fetching = `\`npm rebuild --ignore-scripts=false ${packageName}\``;

/** How to get the library where the package is here, in words for people. */
export const library = `In the program's folder, ${fetching} downloads TensorFlow 2.9.1.`;

/** How to get the package and its library, in words for people. Nothing runs at install. */
export const installation =
  `In the program's folder, \`npm install ${packageName}@4.22.0\` brings the package, and ` +
  `${fetching} then downloads TensorFlow 2.9.1.`;

/** What the package needs beside itself, in words for people. */
export const requirements =
  "It needs an NVIDIA GPU with driver 450.80 or newer, CUDA 11.2 and cuDNN 8.1 (Linux or Windows).";

/**
 * The package calls two functions of node:util that Node 23 removed. They are put back before
 * it loads, as they were.
 */
export function restoreRemovedUtilities(): void {
  const target = util as unknown as Record<string, unknown>;
  target["isNullOrUndefined"] ??= (value: unknown): boolean =>
    value === null || value === undefined;
  target["isArray"] ??= (value: unknown): boolean => Array.isArray(value);
}

/**
 * Loads TensorFlow with its native library. Throws UserError "resource" where the package is not
 * installed, and whatever the package throws where it does not load.
 */
export function loadTensorFlow(): { tf: TensorFlow; version: string } {
  if (!isInstalled())
    throw new UserError(
      "resource",
      `The optional package ${packageName} is not installed. ${installation} ${requirements}`,
    );
  restoreRemovedUtilities();
  const require = createRequire(import.meta.url);
  const tf = require(packageName) as TensorFlow & { version?: { tfjs?: string } };
  return { tf, version: tf.version?.tfjs ?? "unknown" };
}

/** True where the optional package is installed, whether or not it would load. */
export function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve(packageName);
    return true;
  } catch {
    return false;
  }
}
