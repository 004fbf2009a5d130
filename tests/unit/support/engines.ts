import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import type { Program } from "../../../src/main/engine/program.ts";
import { openProgram as openTensorflow } from "../../../src/main/engine/tensorflow/program.ts";
import type { Graph } from "../../../src/main/graph/ir.ts";

const onCpu = { executionProviders: ["cpu"], threads: 1 };

/**
 * Ways to compute a graph: on onnxruntime's CPU by its own operators and by those that any provider
 * has, and on TensorFlow.js' CPU backend.
 */
export const everyEngine = {
  "onnxruntime's own operators": (graph: Graph): Promise<Program> =>
    openProgram(graph, "test", { ...onCpu, fusedOperators: true }),
  "portable operators": (graph: Graph): Promise<Program> =>
    openProgram(graph, "test", { ...onCpu, fusedOperators: false }),
  tensorflow: async (graph: Graph): Promise<Program> => {
    await tf.setBackend("cpu");
    await tf.ready();
    return openTensorflow(tf, graph, "test");
  },
};
