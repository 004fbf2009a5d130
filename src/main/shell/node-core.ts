import { fork } from "node:child_process";
import type { CoreToShell } from "../../shared/messages.ts";
import type { CoreChannel } from "./core-channel.ts";

/** Starts the core as a plain child of Node: for an Electron whose own Node is too old for it. */
export function startNodeCore(node: string, script: string, args: readonly string[]): CoreChannel {
  const child = fork(script, args, {
    execPath: node,
    // Flags meant for Electron's main process, such as a debugger's port, are not for the core.
    execArgv: [],
    // Typed arrays arrive as typed arrays.
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return {
    post: (message) => {
      // A send that fails is followed by the exit, which answers whoever waits.
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage: (listener) => {
      child.on("message", (message) => {
        listener(message as unknown as CoreToShell);
      });
    },
    onExit: (listener) => {
      let told = false;
      const tell = (reason: string) => {
        if (!told) listener({ reason });
        told = true;
      };
      child.once("exit", (code, signal) => {
        tell(signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`);
      });
      child.once("error", (error) => {
        tell(error.message);
      });
    },
    kill: () => {
      child.kill("SIGKILL");
    },
  };
}
