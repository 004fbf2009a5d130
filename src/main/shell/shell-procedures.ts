import { existsSync } from "node:fs";
import { extname, isAbsolute } from "node:path";
import { dialog, shell, type BrowserWindow } from "electron";
import { z } from "zod";
import { shellContract, type ShellContract, type ShellProcedure } from "../../shared/contract.ts";
import { UserError } from "../../shared/errors.ts";

type Input<P extends ShellProcedure> = z.output<ShellContract[P]["input"]>;
type Output<P extends ShellProcedure> = z.output<ShellContract[P]["output"]>;
type Handlers = { [P in ShellProcedure]: (input: Input<P>) => Promise<Output<P>> };

/** What the shell answers itself: native dialogs and the file manager. */
export interface ShellProcedures {
  call(procedure: ShellProcedure, input: unknown): Promise<unknown>;
}

export function isShellProcedure(name: string): name is ShellProcedure {
  return Object.hasOwn(shellContract, name);
}

/** @param window gives the window that dialogs belong to. */
export function shellProcedures(window: () => BrowserWindow): ShellProcedures {
  const handlers: Handlers = {
    "shell:choose-folders": async () => {
      const { filePaths } = await dialog.showOpenDialog(window(), {
        title: "Choose folders with films",
        properties: ["openDirectory", "multiSelections"],
      });
      return filePaths;
    },
    "shell:choose-file": async ({ title, extensions }) => {
      const { filePaths } = await dialog.showOpenDialog(window(), {
        title,
        properties: ["openFile"],
        filters: [{ name: title, extensions }],
      });
      return filePaths[0] ?? null;
    },
    "shell:save-file": async ({ title, suggestedName, extension }) => {
      const { canceled, filePath } = await dialog.showSaveDialog(window(), {
        title,
        defaultPath: suggestedName,
        filters: [{ name: title, extensions: [extension] }],
      });
      return canceled || filePath === "" ? null : withExtension(filePath, extension);
    },
    "shell:open-report": async ({ file }) => {
      // Opening a file starts whatever program the system has for it: reports only.
      requireFile(file);
      if (extname(file).toLowerCase() !== ".pdf") {
        throw new UserError("input", `${file} is not a PDF; only reports are opened from here.`);
      }
      const problem = await shell.openPath(file);
      if (problem !== "") {
        throw new UserError(
          "resource",
          `No program of this machine opened ${file} (${problem}). Open it from its folder.`,
        );
      }
      return { opened: true };
    },
    "shell:reveal": ({ file }) => {
      requireFile(file);
      shell.showItemInFolder(file);
      return Promise.resolve({ revealed: true });
    },
  };

  return {
    call: <P extends ShellProcedure>(procedure: P, input: unknown) =>
      handlers[procedure](parse(procedure, input)),
  };
}

function parse<P extends ShellProcedure>(procedure: P, input: unknown): Input<P> {
  const parsed = shellContract[procedure].input.safeParse(input);
  if (!parsed.success) {
    throw new UserError("input", `${procedure}: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data as Input<P>;
}

function requireFile(file: string): void {
  if (!isAbsolute(file) || !existsSync(file)) {
    throw new UserError("not-found", `There is no file ${file} any more.`);
  }
}

/** Not every desktop's dialog adds the extension. */
function withExtension(file: string, extension: string): string {
  return extname(file) === "" ? `${file}.${extension}` : file;
}
