import { chmodSync } from "node:fs";
import { messageOf } from "../../shared/errors.ts";
import { describeError, type ShellToCore } from "../../shared/messages.ts";
import { dataFolder } from "../store/data-folder.ts";
import { openCore, type Core } from "./core.ts";
import { openShellPort, type ShellPort } from "./shell-port.ts";

/** The core as a process of its own: opens the store, then serves the shell until told to stop. */
async function serve(port: ShellPort): Promise<void> {
  const folder = dataFolder(dataArgument(process.argv));
  const core = await openCore({ dataFolder: folder });
  // The folder holds patients' images: nobody but its owner may read it.
  if (process.platform !== "win32") chmodSync(folder, 0o700);
  core.onAny((event, payload) => {
    port.post({ kind: "event", event, payload });
  });
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await core.close();
    process.exit(0);
  };
  port.onMessage((message) => {
    if (message.kind === "stop") void stop();
    else void answer(core, port, message);
  });
  port.onClosed(() => void stop());
  port.post({ kind: "ready" });
}

async function answer(
  core: Core,
  port: ShellPort,
  message: Exclude<ShellToCore, { kind: "stop" }>,
): Promise<void> {
  const { id } = message;
  try {
    if (message.kind === "pixels") {
      const { headers, body } = await core.pixels(message.path);
      port.post({ kind: "pixels-result", id, headers, body });
    } else {
      const output = await core.callUntyped(message.procedure, message.input);
      port.post({ kind: "result", id, output });
    }
  } catch (thrown) {
    const error = describeError(thrown);
    if (error.kind === "internal") console.error(thrown);
    port.post({ kind: "error", id, error });
  }
}

/** `--data DIR` among the process's arguments, as the shell passes it on. */
function dataArgument(argv: readonly string[]): string | undefined {
  const index = argv.indexOf("--data");
  return index < 0 ? undefined : argv[index + 1];
}

const port = openShellPort();
try {
  await serve(port);
} catch (thrown) {
  console.error(thrown);
  port.post({ kind: "failed", message: messageOf(thrown) });
  process.exitCode = 1;
  // The message must leave the process before it ends.
  setTimeout(() => process.exit(1), 100);
}
