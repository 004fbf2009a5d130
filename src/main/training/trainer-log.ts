import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface Log {
  (line: string): void;
  close(): void;
}

/** The run's own log, written line by line so that it tells the truth after a kill. */
export function openLog(runFolder: string): Log {
  const handle = openSync(join(runFolder, "trainer.log"), "a", 0o600);
  const write = (line: string): void => {
    writeSync(handle, `${new Date().toISOString()} ${line}\n`);
  };
  return Object.assign(write, {
    close: () => {
      closeSync(handle);
    },
  });
}
