import { spawnSync } from "node:child_process";

/**
 * How glibc's allocator is told to keep what it has: no block gets pages of its own that go back to
 * the system when it is freed and come again one by one, and pages are large where they can be.
 * Engines free and take hundreds of megabytes in each step. The variable counts when a process
 * starts, and for other C libraries it means nothing.
 */
const keepingTunables = [
  "glibc.malloc.mmap_max=0",
  "glibc.malloc.trim_threshold=17179869184",
  "glibc.malloc.top_pad=67108864",
  "glibc.malloc.hugetlb=1",
];

const variable = "GLIBC_TUNABLES";

/** The environment for a process that is to run an engine. */
export function engineEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (process.platform !== "linux" || keepsMemory(environment)) return environment;
  const own = environment[variable];
  const others = own === undefined || own === "" ? [] : [own];
  return { ...environment, [variable]: [...others, ...keepingTunables].join(":") };
}

/**
 * True where this process was started with `engineEnvironment` and allocates by glibc. Its allocator
 * then takes less memory than onnxruntime's arena, which grows by doubling, and is quicker. Electron
 * may bring an allocator of its own.
 */
export function keepsMemory(environment: NodeJS.ProcessEnv = process.env): boolean {
  if (process.platform !== "linux" || "electron" in process.versions) return false;
  return (environment[variable] ?? "").includes("malloc.mmap_max=0");
}

/**
 * Runs this very program once more, in `engineEnvironment`, as every trainer runs; for programs that
 * compute in their own process. Gives its exit code, null where this process has it already or where
 * it means nothing.
 */
export function rerunKeepingMemory(): number | null {
  if (process.platform !== "linux" || "electron" in process.versions || keepsMemory()) return null;
  const words = [...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync(process.execPath, words, {
    env: engineEnvironment(),
    stdio: "inherit",
  });
  return status ?? 1;
}
