/**
 * A process of its own that tries one engine: loads its library, finds its device, and computes
 * something whose result is known; with a task it is timed on that instead.
 * Usage: probe-process NAME [TASK AS JSON]; answers over the channel to its parent, and does not
 * outlive it.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { messageOf } from "../../shared/errors.ts";
import type { EngineTask, Timing } from "./automatic.ts";
import type { Engine } from "./engine.ts";
import type { ProbeResult } from "./probe.ts";

async function tryTensorFlow(): Promise<ProbeResult> {
  const { loadTensorFlow } = await import("./tensorflow/load.ts");
  const { tf, version } = loadTensorFlow();
  await tf.ready();
  const product = await tf.matMul([[1, 2]], [[3], [4]]).data();
  if (product[0] !== 11) return { works: false, reason: "its first product came out wrong." };
  const backend = tf.backend() as { isUsingGpuDevice?: boolean };
  const onGpu = backend.isUsingGpuDevice === true;
  const device = onGpu ? "NVIDIA GPU through CUDA" : "CPU (TensorFlow found no CUDA device)";
  return { works: true, device, version: `TensorFlow.js ${version}`, onGpu };
}

async function tryProvider(provider: string): Promise<ProbeResult> {
  const { probeProvider } = await import("./onnxruntime/provider.ts");
  return probeProvider(provider);
}

/** The part of a library's message that means something to a person, on one line. */
function plain(message: string): string {
  const core = /Failed to [^\n]+/.exec(message)?.[0] ?? message;
  return `${core.replaceAll(/\s+/g, " ").replace(/[.\s]+$/, "")}.`;
}

async function tryEngine(name: string): Promise<ProbeResult> {
  try {
    if (name === "tensorflow") return await tryTensorFlow();
    if (name.startsWith("onnxruntime-")) return await tryProvider(name.slice(12));
    return { works: false, reason: `there is no engine named ${name}.` };
  } catch (error) {
    return { works: false, reason: plain(messageOf(error)) };
  }
}

/** Opens an engine that was found to work before; its description is of no interest here. */
async function open(name: string): Promise<Engine> {
  const description = { name, device: null, version: null, available: true, reason: null };
  if (name === "tensorflow") {
    const { loadTensorFlow } = await import("./tensorflow/load.ts");
    const { engineOn } = await import("./tensorflow/engine.ts");
    const { tf } = loadTensorFlow();
    await tf.ready();
    return engineOn(tf, description);
  }
  const { engineOn } = await import("./onnxruntime/engine.ts");
  return engineOn(name.slice("onnxruntime-".length), description);
}

async function time(name: string, task: EngineTask): Promise<Timing> {
  try {
    const { timeEngine } = await import("./timing.ts");
    return await timeEngine(await open(name), task);
  } catch (error) {
    return { works: false, reason: plain(messageOf(error)) };
  }
}

const parentCheckMilliseconds = 300;

/**
 * Ends this process once its parent is gone. To be called in a thread of its own: while a driver hangs,
 * or a step takes a minute, the main thread does not hear that the channel was closed.
 */
function endWith(parent: number): void {
  setInterval(() => {
    // Where no other process takes children over (Windows), they keep the number of the one that died.
    if (process.ppid !== parent || !isAlive(parent)) process.kill(process.pid, "SIGKILL");
  }, parentCheckMilliseconds);
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

async function answer(): Promise<void> {
  // A key pressed in a terminal reaches every process there; the parent decides what it means.
  process.on("SIGINT", () => undefined);
  new Worker(import.meta.filename, { workerData: process.ppid }).unref();
  const [name = "", task] = process.argv.slice(2);
  // Only our own program starts this one.
  const result =
    task === undefined ? await tryEngine(name) : await time(name, JSON.parse(task) as EngineTask);
  process.send?.(result, () => {
    process.exit(0);
  });
}

if (isMainThread) await answer();
else endWith(Number(workerData));
