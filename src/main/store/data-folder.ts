import { homedir } from "node:os";
import { join, resolve } from "node:path";

const applicationName = "Silhouette";

export interface DataFolderSources {
  /** The value of `--data`, if given. */
  readonly argument?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * The folder that holds the store, the image cache, the runs and the reports. The window and the
 * command line must agree on it, so the rule stands here once: the argument, then
 * `SILHOUETTE_DATA`, then the place that the operating system gives to an application.
 *
 * @returns an absolute path; the folder need not exist.
 */
export function chooseDataFolder(sources: DataFolderSources): string {
  const { argument, environment } = sources;
  if (argument !== undefined && argument !== "") return resolve(argument);
  const fromEnvironment = environment["SILHOUETTE_DATA"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return resolve(fromEnvironment);
  return join(applicationDataFolder(sources), applicationName);
}

/** The same for this process: its environment, its platform, its user. */
export function dataFolder(argument?: string): string {
  return chooseDataFolder({
    argument,
    environment: process.env,
    platform: process.platform,
    home: homedir(),
  });
}

function applicationDataFolder({ environment, platform, home }: DataFolderSources): string {
  if (platform === "darwin") return join(home, "Library", "Application Support");
  if (platform === "win32") {
    return nonEmpty(environment["APPDATA"]) ?? join(home, "AppData", "Roaming");
  }
  return nonEmpty(environment["XDG_CONFIG_HOME"]) ?? join(home, ".config");
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
