import { ipcMain, type WebFrameMain } from "electron";
import { channels, type Answer } from "../../shared/channels.ts";
import { contract } from "../../shared/contract.ts";
import { UserError } from "../../shared/errors.ts";
import { describeError } from "../../shared/messages.ts";
import { isInterface } from "./addresses.ts";
import type { CoreHost } from "./core-host.ts";
import { isShellProcedure, type ShellProcedures } from "./shell-procedures.ts";

export interface CallServer {
  readonly core: CoreHost;
  readonly shell: ShellProcedures;
  readonly developmentServer: string | null;
}

/**
 * Answers the interface's calls: the shell's own procedures here, those of the contract in the
 * core. Nothing else exists, and nobody but the interface's own frame is answered.
 */
export function serveCalls({ core, shell, developmentServer }: CallServer): void {
  ipcMain.handle(
    channels.call,
    async (event, procedure: unknown, input: unknown): Promise<Answer> => {
      try {
        checkSender(event.senderFrame, developmentServer);
        if (typeof procedure === "string") {
          if (isShellProcedure(procedure)) {
            return { ok: true, output: await shell.call(procedure, input) };
          }
          if (Object.hasOwn(contract, procedure)) {
            return { ok: true, output: await core.call(procedure, input) };
          }
        }
        throw new UserError("not-found", `There is no procedure ${String(procedure)}.`);
      } catch (error) {
        return { ok: false, error: describeError(error) };
      }
    },
  );
}

function checkSender(frame: WebFrameMain | null, developmentServer: string | null): void {
  if (frame?.parent !== null || !isInterface(frame.url, developmentServer)) {
    throw new UserError("conflict", "Only the interface may call the application.");
  }
}
