import { app, Menu, shell, type MenuItemConstructorOptions } from "electron";
import type { MenuCommand } from "../../shared/messages.ts";

export interface MenuActions {
  readonly dataFolder: string;
  readonly developmentServer: string | null;
  /** Tells the interface of a command that is its to carry out. */
  readonly send: (command: MenuCommand) => void;
}

/** Sets the application's menu. */
export function setMenu({ dataFolder, developmentServer, send }: MenuActions): void {
  const isMac = process.platform === "darwin";
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: "appMenu" as const }] : []),
    {
      label: "&File",
      submenu: [
        {
          label: "New Cohort",
          accelerator: "CmdOrCtrl+N",
          click: () => {
            send("new-cohort");
          },
        },
        {
          label: "Open Data Folder",
          click: () => {
            void shell.openPath(dataFolder);
          },
        },
        { type: "separator" },
        isMac ? { role: "close" } : { role: "quit" },
      ],
    },
    { role: "editMenu" },
    {
      label: "&View",
      submenu: [
        { role: "resetZoom" },
        { role: "zoomIn" },
        { role: "zoomOut" },
        { type: "separator" },
        { role: "togglefullscreen" },
        ...(developmentServer === null
          ? []
          : [{ role: "reload" as const }, { role: "toggleDevTools" as const }]),
      ],
    },
    {
      label: "&Help",
      role: "help",
      submenu: [
        {
          label: "Guide",
          accelerator: "F1",
          click: () => {
            send("open-guide");
          },
        },
        {
          label: "About Silhouette",
          click: () => {
            app.showAboutPanel();
          },
        },
      ],
    },
  ];
  app.setAboutPanelOptions({
    applicationName: "Silhouette",
    applicationVersion: app.getVersion(),
    copyright: "Trains chest-radiograph models under differential privacy. Not a medical device.",
  });
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
