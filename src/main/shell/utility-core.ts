import { utilityProcess } from "electron";
import type { CoreToShell } from "../../shared/messages.ts";
import type { CoreChannel } from "./core-channel.ts";

/** Starts the core as a utility process of Electron. */
export function startUtilityCore(script: string, args: readonly string[]): CoreChannel {
  const child = utilityProcess.fork(script, [...args], {
    serviceName: "Silhouette core",
    stdio: "inherit",
  });
  return {
    post: (message) => {
      child.postMessage(message);
    },
    onMessage: (listener) => {
      child.on("message", (message: CoreToShell) => {
        listener(message);
      });
    },
    onExit: (listener) => {
      child.once("exit", (code) => {
        listener({ reason: `exit code ${code}` });
      });
    },
    kill: () => {
      child.kill();
    },
  };
}
