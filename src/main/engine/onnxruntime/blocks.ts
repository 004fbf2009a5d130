import * as ort from "onnxruntime-node";
import { writeModel } from "./model.ts";

const channels = 64;

/**
 * onnxruntime's CPU kernels for convolutions want maps and weights in blocks of neighbouring channels,
 * as many as the processor's vectors hold. Nothing says how many: a map of two pixels whose values
 * tell where they stood, put into blocks, shows it.
 */
async function measureChannelBlock(): Promise<number | null> {
  const shape = [1, channels, 2, 1];
  const model = writeModel({
    name: "channel block",
    nodes: [
      {
        operator: "ReorderInput",
        domain: "com.microsoft.nchwc",
        inputs: ["maps"],
        outputs: ["blocks"],
        attributes: {},
      },
    ],
    constants: [],
    inputs: [{ name: "maps", type: "float32", shape }],
    outputs: [{ name: "blocks", type: "float32", shape }],
  });
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model, {
      executionProviders: ["cpu"],
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
  } catch {
    // A processor for which the library has no such kernels.
    return null;
  }
  // Value c of the first pixel, channels + c of the second.
  const maps = Float32Array.from({ length: 2 * channels }, (_, at) =>
    at % 2 === 0 ? at / 2 : channels + (at - 1) / 2,
  );
  const { blocks } = await session.run({ maps: new ort.Tensor("float32", maps, shape) });
  await session.release();
  const values = blocks?.data;
  if (!(values instanceof Float32Array)) return null;
  // The second pixel's first channel follows the first pixel's block.
  const block = values.indexOf(channels);
  const inOrder = values.every((value, at) => {
    const [whole, within] = [Math.floor(at / block), at % block];
    return value === (whole % 2) * channels + Math.floor(whole / 2) * block + within;
  });
  return block > 1 && inOrder ? block : null;
}

let known: Promise<number | null> | null = null;

/** Channels in a block of the CPU's convolutions; null where there are no such kernels. */
export function channelBlock(): Promise<number | null> {
  return (known ??= measureChannelBlock());
}
