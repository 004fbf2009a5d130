/**
 * A process of its own that tries one engine: loads its library, finds its device, and computes
 * a small product whose result is known. Usage: probe-process NAME; answers over the channel to
 * its parent.
 */
import { messageOf } from "../../shared/errors.ts";
import type { ProbeResult } from "./probe.ts";

async function tryTensorFlow(): Promise<ProbeResult> {
  const { loadTensorFlow } = await import("./tensorflow/load.ts");
  const { tf, version } = loadTensorFlow();
  await tf.ready();
  const product = await tf.matMul([[1, 2]], [[3], [4]]).data();
  if (product[0] !== 11) return { works: false, reason: "its first product came out wrong." };
  const backend = tf.backend() as { isUsingGpuDevice?: boolean };
  const device =
    backend.isUsingGpuDevice === true
      ? "NVIDIA GPU through CUDA"
      : "CPU (TensorFlow found no CUDA device)";
  return { works: true, device, version: `TensorFlow.js ${version}` };
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

const result = await tryEngine(process.argv[2] ?? "");
process.send?.(result, () => {
  process.exit(0);
});
