import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { messageOf, UserError } from "../../shared/errors.ts";
import type { ChosenNetwork } from "../../shared/plan.ts";
import { networkOf } from "../network/networks.ts";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../network/safetensors.ts";
import { loadWeights, namedTensors } from "../network/weights.ts";
import type { UnitBatch } from "./engine.ts";
import { openEngine } from "./registry.ts";

export interface EngineStepOptions {
  /** A network by name ("resnet9-smooth"). */
  readonly chosen: ChosenNetwork;
  /** safetensors with every parameter of the network under torchvision's name. */
  readonly weightsFile: string;
  /** safetensors with `images` [B, V, 1, H, W] or [B, 1, H, W] and `labels` [B, L], NaN missing. */
  readonly batchFile: string;
  /** C, the bound on one unit's contribution. */
  readonly clippingNorm: number;
  readonly outFile: string;
  /** Engine by name, or "auto". */
  readonly engine: string;
  /** Also the gradient of the mean loss, as `ordinary.` and the parameter's name. */
  readonly ordinary: boolean;
}

export interface EngineStepResult {
  readonly out: string;
  readonly engine: string;
  readonly units: number;
  readonly views: number;
  readonly nonFinite: number;
}

async function readTensors(file: string): Promise<ReadonlyMap<string, NamedTensor>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UserError("not-found", `${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  return readSafetensors(bytes, file).tensors;
}

function tensorIn(
  tensors: ReadonlyMap<string, NamedTensor>,
  name: string,
  file: string,
): NamedTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new UserError("input", `${file} holds no tensor named ${name}.`);
  return tensor;
}

/** Checks the shapes of a batch file and makes a batch of it. Throws UserError ("input"). */
function batchOf(
  tensors: ReadonlyMap<string, NamedTensor>,
  file: string,
): { batch: UnitBatch; labelCount: number; resolutionPixels: number } {
  const images = tensorIn(tensors, "images", file);
  const labels = tensorIn(tensors, "labels", file);
  const shape =
    images.shape.length === 4 ? [images.shape[0], 1, ...images.shape.slice(1)] : images.shape;
  const [units, views, channels, height, width] = shape;
  if (
    shape.length !== 5 ||
    units === undefined ||
    views === undefined ||
    height === undefined ||
    channels !== 1 ||
    height !== width
  )
    throw new UserError(
      "input",
      `images in ${file} has the shape [${images.shape.join(", ")}]; it must be [B, V, 1, H, W] ` +
        "or [B, 1, H, W] with H equal to W.",
    );
  const [labelUnits, labelCount] = labels.shape;
  if (labels.shape.length !== 2 || labelUnits !== units || labelCount === undefined)
    throw new UserError(
      "input",
      `labels in ${file} has the shape [${labels.shape.join(", ")}]; it must be [${units}, L].`,
    );
  if (labels.data.some((label) => !Number.isNaN(label) && label !== 0 && label !== 1))
    throw new UserError("input", `labels in ${file} must be 0, 1, or NaN where missing.`);
  const batch = { units, views, images: images.data, labels: labels.data };
  return { batch, labelCount, resolutionPixels: height };
}

/**
 * One training step from files to a file: norms [B], losses [B] and, under each parameter's
 * name, the sum of the clipped unit gradients.
 *
 * Throws UserError for files that cannot be read or do not fit, and writes nothing then.
 */
export async function engineStep(options: EngineStepOptions): Promise<EngineStepResult> {
  const { batch, labelCount, resolutionPixels } = batchOf(
    await readTensors(options.batchFile),
    options.batchFile,
  );
  const network = networkOf(options.chosen, labelCount);
  const { weights, report } = loadWeights(network, await readTensors(options.weightsFile));
  const wrong = [...report.missing, ...report.mismatched.map(({ name }) => name)];
  if (wrong.length > 0)
    throw new UserError(
      "input",
      `${options.weightsFile} does not fit ${network.name}: missing or of another shape are ` +
        `${wrong.slice(0, 5).join(", ")}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ""}.`,
    );

  const engine = await openEngine(options.engine);
  const compiled = await engine.compile(network, {
    resolutionPixels,
    microbatch: null,
    threads: null,
  });
  try {
    const clipping = { kind: "flat", norm: options.clippingNorm } as const;
    const { sum, norms, losses, nonFinite } = await compiled.clippedSum(weights, batch, clipping);
    const results = namedTensors(network, sum);
    results.set("norms", { shape: [batch.units], data: norms });
    results.set("losses", { shape: [batch.units], data: losses });
    if (options.ordinary) {
      const { gradient } = await compiled.ordinaryGradient(weights, batch);
      for (const [name, tensor] of namedTensors(network, gradient))
        results.set(`ordinary.${name}`, tensor);
    }
    await writeWhole(
      options.outFile,
      writeSafetensors(results, {
        network: network.name,
        engine: engine.description.name,
        clippingNorm: String(options.clippingNorm),
        nonFinite: String(nonFinite),
      }),
    );
    return {
      out: options.outFile,
      engine: engine.description.name,
      units: batch.units,
      views: batch.views,
      nonFinite,
    };
  } finally {
    await compiled.dispose();
  }
}

/** A file that is there whole or not at all. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${file}.${process.pid}.part`;
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw new UserError("resource", `${file} cannot be written: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
