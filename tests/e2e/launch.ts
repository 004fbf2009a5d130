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

const attempts = 3;

/**
 * Starts the built application in the Electron that the set-up prepared, on a data folder of its
 * own unless one is given.
 *
 * Now and then Playwright attaches so late to a window that is up already that it waits for an
 * event of the page that has passed. Only where the application itself says that its window has
 * loaded is it started again.
 */
export async function launch(dataFolder?: string): Promise<Launched> {
  const folder = dataFolder ?? (await mkdtemp(join(tmpdir(), "silhouette-e2e-")));
  for (let attempt = 1; ; attempt += 1) {
    const application = await start(folder);
    const complaints: string[] = [];
    application.process().stderr?.on("data", (data: Buffer) => complaints.push(data.toString()));
    const page = await application.firstWindow();
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    if (await attached(page)) {
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
    const loaded = await application.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      return contents?.isLoading() === false && contents.getURL().startsWith("app://silhouette/");
    });
    await application.close();
    if (!loaded || attempt === attempts) {
      throw new Error(`The window did not load. ${complaints.join("")}`);
    }
  }
}

async function start(folder: string): Promise<ElectronApplication> {
  const executablePath = process.env["SILHOUETTE_TEST_ELECTRON"];
  if (executablePath === undefined) throw new Error("Run this through npm run test:e2e.");
  // Chromium refuses to run as root in its sandbox; the application itself never turns it off.
  const asRoot = process.platform === "linux" && process.getuid?.() === 0;
  return _electron.launch({
    executablePath,
    args: [root, ...(asRoot ? ["--no-sandbox"] : []), "--data", folder],
    cwd: root,
  });
}

/** Whether the page answers within a time that even a busy machine keeps. */
async function attached(page: Page): Promise<boolean> {
  try {
    await page.waitForURL("app://silhouette/**", {
      waitUntil: "domcontentloaded",
      timeout: 25_000,
    });
    return true;
  } catch {
    return false;
  }
}
