import type { CoreToShell, ShellToCore } from "../../shared/messages.ts";

/** A running core process, however it was started. */
export interface CoreChannel {
  post(message: ShellToCore): void;
  onMessage(listener: (message: CoreToShell) => void): void;
  /** Called once, also where the process could not be started at all. */
  onExit(listener: (exit: CoreExit) => void): void;
  /** Ends the process at once. */
  kill(): void;
}

export interface CoreExit {
  /** Why it ended, as in "exit code 1" or "signal SIGSEGV". */
  readonly reason: string;
}
