import { join } from "node:path";
import { app, BrowserWindow } from "electron";
import { interfaceAddress } from "./addresses.ts";
import { keepWindowState, readWindowState } from "./window-state.ts";

export interface WindowOptions {
  /** The built preload script. */
  readonly preload: string;
  readonly icon: string;
  readonly developmentServer: string | null;
}

/** Opens the application's window where it stood last. */
export function openWindow({ preload, icon, developmentServer }: WindowOptions): BrowserWindow {
  const stateFile = join(app.getPath("userData"), "window-state.json");
  const state = readWindowState(stateFile);
  const window = new BrowserWindow({
    title: "Silhouette",
    icon,
    width: state?.width ?? 1440,
    height: state?.height ?? 900,
    ...(state === null ? {} : { x: state.x, y: state.y }),
    minWidth: 960,
    minHeight: 640,
    // The colour of the interface's ground, so that a dark room sees no flash of white.
    backgroundColor: "#0c0d0f",
    show: false,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      // The spell checker would fetch dictionaries.
      spellcheck: false,
      devTools: developmentServer !== null || !app.isPackaged,
    },
  });
  if (state?.maximized === true) window.maximize();
  keepWindowState(window, stateFile);
  window.once("ready-to-show", () => {
    window.show();
  });
  // A file dropped outside a drop zone would otherwise replace the page's title and address.
  window.on("page-title-updated", (event) => {
    event.preventDefault();
  });
  void window.loadURL(developmentServer ?? interfaceAddress);
  return window;
}
