import type { CoreToShell, ShellToCore } from "../../shared/messages.ts";

/** The core's end of the channel to the shell. */
export interface ShellPort {
  post(message: CoreToShell): void;
  onMessage(listener: (message: ShellToCore) => void): void;
  /** Called once when the shell is gone, however it went: nobody is left to serve. */
  onClosed(listener: () => void): void;
}

/** Electron's port in a utility process, declared here because only the shell imports electron. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: "message", listener: (event: { data: unknown }) => void): void;
  on(event: "close", listener: () => void): void;
}

/**
 * Opens the channel to the shell that started this process, be it an Electron utility process or a
 * plain Node child.
 *
 * @throws Error where this process was started by neither.
 */
export function openShellPort(): ShellPort {
  const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort;
  if (parentPort !== undefined) {
    return {
      post: (message) => {
        parentPort.postMessage(message);
      },
      onMessage: (listener) => {
        parentPort.on("message", (event) => {
          listener(event.data as ShellToCore);
        });
      },
      onClosed: (listener) => {
        parentPort.on("close", listener);
      },
    };
  }
  if (process.send === undefined) {
    throw new Error("The core process must be started by the shell; use bin/silhouette instead.");
  }
  return {
    post: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => {
      process.on("message", (message) => {
        listener(message as ShellToCore);
      });
    },
    onClosed: (listener) => {
      process.once("disconnect", listener);
    },
  };
}
