import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureBuilt } from "./setup/build.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { distributionFolder, ensureElectron } from "./setup/electron.mjs";
import { productEnvironment, productNode, root } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { runEntry, say, secondsSince, SetupError } from "./setup/report.mjs";
import { ensureSystemPackages } from "./setup/system-packages.mjs";

const resultsFolder = join(root, "test-results");
const needsScreen = process.platform === "linux" && !process.env.DISPLAY;

/** The parts of `npm test` in their order. */
const parts = {
  setup: ensureDependencies,
  electron: async () => ensureSystemPackages(await ensureElectron(), { screen: needsScreen }),
  lint: async () => {
    await tool("eslint", ["--max-warnings", "0", "."]);
    await tool("prettier", ["--check", "--log-level", "warn", "."]);
  },
  typecheck: async () => {
    await tool("tsc", ["-p", "tsconfig.json"]);
    await tool("tsc", ["-p", "tsconfig.browser-tests.json"]);
    await tool("svelte-check", ["--tsconfig", "tsconfig.renderer.json", "--fail-on-warnings"]);
  },
  unit: () => vitest("unit"),
  build: () => ensureBuilt(),
  integration: () => vitest("integration"),
  e2e: playwright,
};

/** Parts that run only where they are named. */
const optional = { webgpu };

/** What a part needs where it is run by itself. */
const requirements = {
  lint: ["setup"],
  typecheck: ["setup"],
  unit: ["setup"],
  build: ["setup"],
  integration: ["setup", "build"],
  e2e: ["setup", "electron", "build"],
  webgpu: ["setup", "electron"],
};

class PartFailed extends Error {}

const counts = { passed: 0, failed: 0, skipped: 0 };

/**
 * usage: node scripts/test.mjs [PART...] [-- ARGUMENT...]
 *
 * Runs the named parts, or all but the optional ones, and stops at the first that fails. The arguments after `--` go to
 * the runner of the tests. The last line is `N passed, N failed`.
 */
await runEntry(async () => {
  const divider = process.argv.indexOf("--");
  const names = process.argv.slice(2, divider === -1 ? undefined : divider);
  const all = { ...parts, ...optional };
  const unknown = names.filter((name) => !(name in all));
  if (unknown.length > 0) {
    say(`there is no part ${unknown.join(", ")}; the parts are ${Object.keys(all).join(", ")}`);
    return 2;
  }
  mkdirSync(resultsFolder, { recursive: true });
  const timings = [];
  let failure;
  for (const name of chosen(names)) {
    const start = performance.now();
    say(`--- ${name}`);
    try {
      await all[name]();
    } catch (error) {
      failure = { name, error };
    }
    timings.push(`${name} ${secondsSince(start)}${failure ? " (failed)" : ""}`);
    if (failure) break;
  }
  process.stdout.write(`\n${timings.join("\n")}\n`);
  if (failure) {
    const reason = failure.error instanceof PartFailed ? "" : `: ${failure.error.message}`;
    process.stdout.write(`${failure.name} failed${reason}; the parts after it were not run.\n`);
    // A part without counted tests still has to show as a failure to who reads the last line only.
    if (counts.failed === 0) counts.failed = 1;
  }
  if (counts.skipped > 0) process.stdout.write(`${counts.skipped} skipped\n`);
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return failure ? 1 : 0;
});

function chosen(names) {
  if (names.length === 0) return Object.keys(parts);
  const wanted = new Set(names.flatMap((name) => [...(requirements[name] ?? []), name]));
  return [...Object.keys(parts), ...Object.keys(optional)].filter((name) => wanted.has(name));
}

function runnerArguments() {
  const divider = process.argv.indexOf("--");
  return divider === -1 ? [] : process.argv.slice(divider + 1);
}

/** Runs the program of a package of ours on Node 24. */
async function tool(name, args, environment = {}) {
  const script = binaryOf(name);
  await mustPass(productNode(), [script, ...args], environment);
}

async function mustPass(program, args, environment) {
  const code = await run(program, args, {
    cwd: root,
    stdout: "inherit",
    env: productEnvironment(environment),
  });
  if (code !== 0) throw new PartFailed();
}

/** The script behind a package's command: node_modules/.bin holds shell files on Windows. */
function binaryOf(name) {
  const packages = { playwright: "@playwright/test", tsc: "typescript" };
  const folder = join(root, "node_modules", packages[name] ?? name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[name]);
}

/**
 * The engine through WebGPU, on the machine's GPU if it has a driver, on Linux else on the software
 * renderer that every Electron brings along.
 */
async function webgpu() {
  const named = process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES;
  const device = ["/dev/dri", "/dev/nvidia0", "/dev/dxg"].some((path) => existsSync(path));
  if (process.platform !== "linux" || named || device) return vitest("webgpu");
  const folder = dirname(await ensureElectron());
  const driver = join(folder, "vk_swiftshader_icd.json");
  if (!existsSync(driver))
    throw new SetupError(`no software Vulkan driver in ${folder}; name one in VK_ICD_FILENAMES.`);
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return vitest("webgpu", { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: libraries });
}

async function vitest(project, environment = {}) {
  const results = resultsFile(project);
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
    const args = ["run", "--project", project, ...reporters, ...runnerArguments()];
    await tool("vitest", args, environment);
  } finally {
    count(results, (report) => ({
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
    }));
  }
}

async function playwright() {
  const results = resultsFile("e2e");
  const args = ["test", "--reporter=list,json", ...runnerArguments()];
  const environment = {
    PLAYWRIGHT_JSON_OUTPUT_NAME: results,
    ELECTRON_OVERRIDE_DIST_PATH: distributionFolder(await ensureElectron()),
  };
  try {
    if (needsScreen) {
      const screen = ["-a", "-s", "-screen 0 1680x1050x24", productNode()];
      await mustPass("xvfb-run", [...screen, binaryOf("playwright"), ...args], environment);
    } else {
      await tool("playwright", args, environment);
    }
  } finally {
    count(results, ({ stats }) => ({
      passed: stats.expected + stats.flaky,
      failed: stats.unexpected,
      skipped: stats.skipped,
    }));
  }
}

function resultsFile(name) {
  const file = join(resultsFolder, `${name}.json`);
  rmSync(file, { force: true });
  return file;
}

/** Adds up what a runner reported; a runner that died before it could has reported nothing. */
function count(file, read) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return;
  }
  const found = read(report);
  for (const key of Object.keys(counts)) counts[key] += found[key];
}
