import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { inferenceModel } from "../../../src/main/engine/inference-model.ts";
import { writeModel } from "../../../src/main/engine/onnxruntime/model.ts";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import {
  initialise,
  networkNamed,
  networkNames,
  type NetworkDescription,
} from "../../../src/main/network/index.ts";
import { rectangularAndGrouped, smallConvnext } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";

const resolutionPixels = 32;

/** Fresh weights with every scale and shift moved, so that no parameter is without effect. */
function liveWeights(network: NetworkDescription): Float32Array {
  const random = seededRandom(7);
  const weights = initialise(network, random);
  return weights.map((value) => value + 0.05 * (random() - 0.5));
}

describe("the exported inference model", () => {
  // ConvNeXt-Tiny's layers in a network that takes no minute.
  const networks = [
    ...networkNames.map((name) =>
      name === "convnext-tiny" ? smallConvnext() : networkNamed(name),
    ),
    { ...rectangularAndGrouped(), name: "rectangular and grouped convolutions" },
  ];
  it.each(networks)("$name gives the app's scores for any number of films", async (network) => {
    const weights = liveWeights(network);
    const random = seededRandom(8);
    const images = Float32Array.from({ length: 3 * resolutionPixels ** 2 }, random);
    const compiled = await cpuEngine().compile(network, {
      resolutionPixels,
      microbatch: null,
      threads: 1,
    });
    const expected = await compiled.infer(weights, images, 3);
    await compiled.dispose();

    const metadata = { run: "p-1", labels: "[]" };
    const model = inferenceModel(network, weights, { resolutionPixels, logits: true, metadata });
    expect(model.nodes.every((node) => node.domain === "")).toBe(true);
    const session = await ort.InferenceSession.create(writeModel(model), { logSeverityLevel: 3 });
    expect(session.inputNames).toEqual(["images"]);
    expect(session.outputNames).toEqual(["scores", "logits"]);
    for (const count of [1, 3]) {
      const shape = [count, 1, resolutionPixels, resolutionPixels];
      const some = images.slice(0, count * resolutionPixels ** 2);
      const outputs = await session.run({ images: new ort.Tensor("float32", some, shape) });
      const logits = outputs["logits"]!.data as Float32Array;
      const scores = outputs["scores"]!.data as Float32Array;
      expect(outputs["scores"]!.dims).toEqual([count, network.labels]);
      const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
      for (let i = 0; i < scores.length; i += 1) {
        const scale = 1 + Math.abs(expected[i]!);
        expect(Math.abs(logits[i]! - expected[i]!) / scale).toBeLessThan(1e-4);
        expect(Math.abs(scores[i]! - sigmoid(expected[i]!))).toBeLessThan(1e-5);
      }
    }
    await session.release();
  });

  it("gives scores alone where logits are not asked for, and carries its metadata", () => {
    const network = networkNamed("resnet9-small");
    const metadata = { pixelPipeline: "1", privacy: "non-private: must stay inside" };
    const options = { resolutionPixels, logits: false, metadata };
    const model = inferenceModel(network, liveWeights(network), options);
    expect(model.outputs.map((output) => output.name)).toEqual(["scores"]);
    expect(model.inputs[0]!.shape).toEqual(["images", 1, resolutionPixels, resolutionPixels]);
    const text = Buffer.from(writeModel(model)).toString("latin1");
    expect(text).toContain("non-private: must stay inside");
    expect(text).not.toContain("com.microsoft");
  });
});
