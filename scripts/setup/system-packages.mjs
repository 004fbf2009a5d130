import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { capture, mustRun } from "./processes.mjs";
import { say, secondsSince, SetupError } from "./report.mjs";

/** What Electron and a window without a screen need on Debian and Ubuntu. */
const debianPackages = [
  "xvfb",
  "xauth",
  "libgtk-3-0",
  "libnss3",
  "libasound2",
  "libgbm1",
  "libxss1",
  "libatk-bridge2.0-0",
];

/**
 * Makes sure that Electron's shared libraries are there and, where a screen has to be made up, the
 * programs for that. Installs them as root on Debian; elsewhere says what is missing and how to get
 * it.
 */
export async function ensureSystemPackages(electron, { screen }) {
  if (process.platform !== "linux") return;
  const missing = await findMissing(electron, screen);
  if (missing.length === 0) return;
  say(`missing on this machine: ${missing.join(", ")}`);
  if (!hasCommand("apt-get")) {
    throw new SetupError(
      "Install GTK 3, NSS, ALSA, GBM, XScrnSaver and AT-SPI" +
        `${screen ? ", Xvfb and xauth" : ""} with this system's package manager, then repeat.`,
    );
  }
  const start = performance.now();
  const asRoot = process.getuid() === 0;
  if (asRoot) await runApt(["update", "-q"]);
  const install = ["install", "-y", "-q", "--no-install-recommends", ...(await currentNames())];
  if (!asRoot) {
    throw new SetupError(
      `Install it with this command, then repeat:\n  sudo apt-get ${install.join(" ")}`,
    );
  }
  await runApt(install);
  const left = await findMissing(electron, screen);
  if (left.length > 0) throw new SetupError(`Still missing after apt-get: ${left.join(", ")}.`);
  say(`system packages installed in ${secondsSince(start)}`);
}

async function findMissing(electron, screen) {
  const libraries = (await capture("ldd", [electron])) ?? "";
  const missing = libraries
    .split("\n")
    .filter((line) => line.includes("not found"))
    .map((line) => line.trim().split(" ")[0]);
  if (screen) missing.push(...["xvfb-run", "Xvfb", "xauth"].filter((name) => !hasCommand(name)));
  return missing;
}

function hasCommand(name) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && existsSync(join(folder, name)));
}

function runApt(args) {
  say(`apt-get ${args.join(" ")}`);
  return mustRun("apt-get", "apt-get", args, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Since Debian 13 and Ubuntu 24.04 some of these carry the suffix of the 64-bit time change. */
async function currentNames() {
  return Promise.all(
    debianPackages.map(async (name) => {
      const found = await capture("apt-cache", ["show", `${name}t64`]);
      return found ? `${name}t64` : name;
    }),
  );
}
