import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

/** An NVIDIA GPU as its driver's own tool describes it. */
export interface NvidiaGpu {
  readonly name: string;
  readonly driver: string;
  readonly memoryMebibytes: number;
}

let asked: Promise<NvidiaGpu | null> | null = null;

/**
 * The first NVIDIA GPU, asked of nvidia-smi once; null where there is none, or where the signal was
 * given before it answered. Never throws.
 */
export function nvidiaGpu(signal?: AbortSignal): Promise<NvidiaGpu | null> {
  if (asked !== null) return asked;
  asked = promisify(execFile)(
    "nvidia-smi",
    ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"],
    { timeout: 10_000, ...(signal && { signal }) },
  ).then(
    ({ stdout }) => parseNvidiaSmi(stdout),
    () => null,
  );
  signal?.addEventListener("abort", () => {
    asked = null;
  });
  return asked;
}

/** The first line of nvidia-smi's table of name, driver version and memory in MiB. */
export function parseNvidiaSmi(output: string): NvidiaGpu | null {
  const [line = ""] = output.split("\n");
  const [name, driver, memory] = line.split(",").map((part) => part.trim());
  const memoryMebibytes = Number(memory);
  if (name === undefined || name === "" || driver === undefined) return null;
  return Number.isFinite(memoryMebibytes) ? { name, driver, memoryMebibytes } : null;
}

/** The oldest driver that CUDA 11.2 runs on, as its release notes give it for Linux. */
const oldestDriver = [450, 80];

/** What was found of the driver that TensorFlow's library needs, in words for people. */
export function driverSentence(gpu: NvidiaGpu | null): string {
  if (gpu === null) return "No NVIDIA driver was found here (nvidia-smi does not answer).";
  const [major = 0, minor = 0] = gpu.driver.split(".").map(Number);
  const [oldMajor = 0, oldMinor = 0] = oldestDriver;
  const enough = major > oldMajor || (major === oldMajor && minor >= oldMinor);
  return `Found here: ${gpu.name} with driver ${gpu.driver}, ${enough ? "new enough" : "too old"}.`;
}

/**
 * False where no graphics device can be there, so that no driver has to be tried. A Vulkan driver
 * that was named by hand may need no device.
 */
export function hasGraphicsDevice(): boolean {
  if (process.platform !== "linux") return true;
  const named = process.env["VK_ICD_FILENAMES"] ?? process.env["VK_DRIVER_FILES"] ?? "";
  return named !== "" || ["/dev/dri", "/dev/nvidia0", "/dev/dxg"].some((path) => existsSync(path));
}
