import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { app, BrowserWindow, dialog, protocol, session } from "electron";
import { channels } from "../../shared/channels.ts";
import { shellEvents, type CoreNotice, type MenuCommand } from "../../shared/messages.ts";
import { dataFolder as chooseDataFolder } from "../store/data-folder.ts";
import { interfaceScheme, pixelsScheme } from "./addresses.ts";
import { dataArgument } from "./arguments.ts";
import { serveCalls } from "./calls.ts";
import { CoreHost } from "./core-host.ts";
import { serveInterface } from "./interface-protocol.ts";
import { setMenu } from "./menu.ts";
import { servePixels } from "./pixels-protocol.ts";
import { closeNetwork, restrictContents, restrictSession } from "./security.ts";
import { shellProcedures } from "./shell-procedures.ts";
import { startCore } from "./start-core.ts";
import { openWindow } from "./window.ts";

/**
 * Runs the window's side of the product.
 *
 * @param builtFolder the folder of the built main process, `out/main`.
 */
export function runApplication(builtFolder: string): void {
  const applicationFolder = dirname(dirname(builtFolder));
  const dataFolder = chooseDataFolder(dataArgument(process.argv));
  const developmentServer = developmentOrigin();

  // Chromium's own files stay apart from the product's data. The lock stands among them, so that
  // there is one application for each data folder.
  const windowFolder = join(dataFolder, "window");
  mkdirSync(windowFolder, { recursive: true });
  app.setPath("userData", windowFolder);
  if (!app.requestSingleInstanceLock()) {
    app.exit(0);
    return;
  }

  // Tests that run as root have to turn Chromium's sandbox off, and the two do not go together.
  if (!app.commandLine.hasSwitch("no-sandbox")) app.enableSandbox();
  doWithoutMissingGraphics();
  closeNetwork(developmentServer);
  restrictContents(developmentServer);
  declareSchemes();

  app.on("second-instance", () => {
    const [window] = BrowserWindow.getAllWindows();
    if (window?.isMinimized() === true) window.restore();
    window?.focus();
  });

  void app.whenReady().then(() => {
    const core = hostCore(builtFolder, applicationFolder, dataFolder);
    restrictSession(session.defaultSession, developmentServer);
    serveInterface(session.defaultSession, join(applicationFolder, "out", "renderer"));
    servePixels(session.defaultSession, core, developmentServer);
    serveCalls({ core, shell: shellProcedures(anyWindow), developmentServer });
    setMenu({ dataFolder, developmentServer, send: sendMenuCommand });

    const open = () =>
      openWindow({
        preload: join(applicationFolder, "out", "preload", "index.cjs"),
        icon: join(applicationFolder, "resources", "icon.png"),
        developmentServer,
      });
    open();
    app.on("activate", () => {
      if (BrowserWindow.getAllWindows().length === 0) open();
    });
  });

  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
}

/**
 * Draws on the processor where a Linux machine has no graphics device. Chromium's graphics process
 * ends at its start there, and when the window loads in the same moment it may hang for ever.
 */
function doWithoutMissingGraphics(): void {
  if (process.platform !== "linux") return;
  if (existsSync("/dev/dri") || existsSync("/dev/nvidia0")) return;
  app.commandLine.appendSwitch("disable-gpu");
}

/** Starts the core and lets it finish before the application ends. */
function hostCore(builtFolder: string, applicationFolder: string, dataFolder: string): CoreHost {
  const script = join(builtFolder, "core.js");
  const core = new CoreHost({
    start: () => startCore({ script, applicationFolder, dataFolder }),
    onEvent: broadcast,
    onRestarted: (message) => {
      broadcast(shellEvents.coreRestarted, { message } satisfies CoreNotice);
    },
    onFailed: (message) => {
      broadcast(shellEvents.coreFailed, { message } satisfies CoreNotice);
      dialog.showErrorBox("Silhouette cannot go on", message);
    },
  });
  let stopped = false;
  app.on("will-quit", (event) => {
    if (stopped) return;
    event.preventDefault();
    void core.stop().finally(() => {
      stopped = true;
      app.quit();
    });
  });
  return core;
}

function declareSchemes(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true };
  protocol.registerSchemesAsPrivileged([
    { scheme: interfaceScheme, privileges },
    { scheme: pixelsScheme, privileges: { ...privileges, corsEnabled: true, stream: true } },
  ]);
}

function broadcast(event: string, payload: unknown): void {
  for (const window of BrowserWindow.getAllWindows()) {
    window.webContents.send(channels.event, event, payload);
  }
}

function sendMenuCommand(command: MenuCommand): void {
  broadcast(shellEvents.menu, { command });
}

function anyWindow(): BrowserWindow {
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
  if (window === undefined) throw new Error("There is no window to show a dialog in.");
  return window;
}

/** The server that `npm run dev` names; a packaged application serves its own files only. */
function developmentOrigin(): string | null {
  const address = process.env["ELECTRON_RENDERER_URL"];
  return app.isPackaged || address === undefined ? null : new URL(address).origin;
}
