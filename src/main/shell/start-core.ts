import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { CoreChannel } from "./core-channel.ts";
import { startNodeCore } from "./node-core.ts";
import { carriesCore } from "./node-version.ts";
import { startUtilityCore } from "./utility-core.ts";

export interface CoreLocation {
  /** The built core. */
  readonly script: string;
  /** The application's root, which holds node_modules in a clone. */
  readonly applicationFolder: string;
  readonly dataFolder: string;
}

/**
 * Starts the core inside Electron, or beside it where this Electron's Node is too old to load
 * SQLite.
 */
export function startCore({ script, applicationFolder, dataFolder }: CoreLocation): CoreChannel {
  const args = ["--data", dataFolder];
  if (carriesCore(process.versions.node)) return startUtilityCore(script, args);
  const program = process.platform === "win32" ? "node.exe" : "node";
  const node = join(applicationFolder, "node_modules", "node", "bin", program);
  if (!existsSync(node)) {
    throw new UserError(
      "resource",
      `This Electron's Node ${process.versions.node} is too old for the core, and ${node} is ` +
        "missing. Run npm ci.",
    );
  }
  return startNodeCore(node, script, args);
}
