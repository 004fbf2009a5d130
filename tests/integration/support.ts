import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../src/main/cli/main.ts", import.meta.url));

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A new, empty temporary folder. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "silhouette-test-"));
}

/** Runs the command line from its sources, as a process of its own. */
export function startCli(args: readonly string[], cwd?: string) {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const finished = new Promise<CliResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => {
      resolve({ exitCode, stdout, stderr });
    });
  });
  return { child, finished, stderrSoFar: () => stderr };
}

export function runCli(args: readonly string[], cwd?: string): Promise<CliResult> {
  return startCli(args, cwd).finished;
}

/** Runs a command with `--json` and returns its object; fails with what it printed otherwise. */
export async function runJson<Result = Record<string, unknown>>(
  ...args: string[]
): Promise<Result> {
  const { exitCode, stdout, stderr } = await runCli([...args, "--json"]);
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}`);
  return JSON.parse(stdout) as Result;
}
