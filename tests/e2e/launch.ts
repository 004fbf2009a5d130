import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { _electron, type ElectronApplication, type Page } from "@playwright/test";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Launched {
  readonly application: ElectronApplication;
  readonly page: Page;
  readonly dataFolder: string;
  /** What the page and its processes complained about, for the message of a failing test. */
  readonly complaints: string[];
  /** Closes the application; keeps its data where the test brought the folder. */
  close(): Promise<void>;
}

/**
 * Starts the built application in the Electron that the set-up prepared, on a data folder of its
 * own unless one is given.
 */
export async function launch(dataFolder?: string): Promise<Launched> {
  const folder = dataFolder ?? (await mkdtemp(join(tmpdir(), "silhouette-e2e-")));
  const application = await start(folder);
  const complaints: string[] = [];
  application.process().stderr?.on("data", (data: Buffer) => complaints.push(data.toString()));
  const page = await application.firstWindow();
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.waitForURL("app://silhouette/**", {
      waitUntil: "domcontentloaded",
      timeout: 60_000,
    });
  } catch (error) {
    await application.close();
    throw new Error(`The window did not load. ${complaints.join("")}`, { cause: error });
  }
  return {
    application,
    page,
    dataFolder: folder,
    complaints,
    close: async () => {
      await application.close();
      if (dataFolder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * No path is given, so that Playwright asks the `electron` package for it: only then does it hold
 * the application back until it is attached. A window that loads meanwhile is sometimes lost to it.
 */
async function start(folder: string): Promise<ElectronApplication> {
  if (process.env["ELECTRON_OVERRIDE_DIST_PATH"] === undefined) {
    throw new Error("Run this through npm run test:e2e.");
  }
  // Chromium refuses to run as root in its sandbox; the application itself never turns it off.
  const asRoot = process.platform === "linux" && process.getuid?.() === 0;
  return _electron.launch({
    args: [root, ...(asRoot ? ["--no-sandbox"] : []), "--data", folder],
    chromiumSandbox: !asRoot,
    cwd: root,
  });
}
