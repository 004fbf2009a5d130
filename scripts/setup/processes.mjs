import { spawn } from "node:child_process";
import { constants } from "node:os";
import { say, SetupError } from "./report.mjs";

const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a program to its end. Its standard output goes to ours only where `stdout` says so; in the
 * set-up it goes to standard error.
 *
 * @returns the exit code; a death by signal counts as 128 plus the signal's number, as in a shell.
 */
export function run(
  program,
  args,
  { stdout = 2, stderr = "inherit", timeoutMilliseconds, ...options } = {},
) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["inherit", stdout, stderr], ...options });
    // A terminal signals the whole process group, so the child hears Ctrl+C by itself; a signal
    // sent to us alone has to be passed on, and we must outlive it to report the exit code.
    const forward = (signal) => {
      if (!(signal === "SIGINT" && process.stdin.isTTY)) child.kill(signal);
    };
    for (const signal of forwardedSignals) process.on(signal, forward);
    const timer =
      timeoutMilliseconds === undefined
        ? undefined
        : setTimeout(() => child.kill("SIGKILL"), timeoutMilliseconds);
    const finish = () => {
      clearTimeout(timer);
      for (const signal of forwardedSignals) process.off(signal, forward);
    };
    child.once("error", (error) => {
      finish();
      reject(new SetupError(`Cannot run ${program}: ${error.message}`));
    });
    child.once("exit", (code, signal) => {
      finish();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Runs a program and fails with a plain message where it fails. */
export async function mustRun(what, program, args, options) {
  const code = await run(program, args, options);
  if (code !== 0)
    throw new SetupError(`${what} failed (exit code ${code}); the reason stands above.`);
}

/** @returns what a program printed, or undefined where it failed or does not exist. */
export function capture(program, args, { timeoutMilliseconds = 60_000, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], ...options });
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMilliseconds);
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (printed += chunk));
    child.once("error", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? printed : undefined);
    });
  });
}

/**
 * How to start npm. On Windows `npm` is a batch file, which only a shell can start; inside an npm
 * script npm names its own program, which the present Node can run.
 */
export function npmCommand() {
  const program = process.env.npm_execpath;
  if (program !== undefined && /\.c?js$/.test(program)) {
    return { program: process.execPath, first: [program], options: {} };
  }
  return { program: "npm", first: [], options: { shell: process.platform === "win32" } };
}

/** Runs npm in the repository. */
export async function mustRunNpm(args, options = {}) {
  const npm = npmCommand();
  say(`npm ${args.join(" ")}`);
  await mustRun(`npm ${args[0]}`, npm.program, [...npm.first, ...args], {
    ...npm.options,
    ...options,
  });
}
