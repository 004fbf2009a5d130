import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Debian's own Python, which has its packages. */
const python = "/usr/bin/python3";
const script = fileURLToPath(new URL("../peers/stored_values.py", import.meta.url));

/** What pydicom, with DCMTK or GDCM where the file is compressed, makes of it. */
export type PeerAnswer =
  | { readonly path: string; readonly peer: string; readonly sha256: string }
  | { readonly path: string; readonly error: string };

/** Why the peers cannot be asked on this machine; null where they can. */
export function peersMissing(): string | null {
  const modules = spawnSync(python, ["-c", "import pydicom, numpy"], { stdio: "ignore" });
  if (modules.status !== 0) return "python3-pydicom is not here";
  const missing = ["dcmdjpeg", "dcmdjpls", "dcmdrle", "gdcmconv"].filter(
    (tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).error !== undefined,
  );
  return missing.length === 0 ? null : `${missing.join(", ")} not here`;
}

/** The folder of pydicom's data files. */
export function pydicomData(): string {
  const code = "import os, pydicom; print(os.path.join(os.path.dirname(pydicom.__file__), 'data'))";
  return spawnSync(python, ["-c", code], { encoding: "utf8" }).stdout.trim();
}

/** Asks the peers for all files in one go; the answers stand in the order of the paths. */
export function askPeers(paths: readonly string[]): PeerAnswer[] {
  const { stdout, status, stderr } = spawnSync(python, [script], {
    input: paths.map((path) => `${path}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`The peers could not be asked: ${stderr}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as PeerAnswer);
}
