import { resolve } from "node:path";
import type { Command } from "commander";
import { choiceWords, timingWords } from "../../../shared/engine-choice.ts";
import { formatCount } from "../../../shared/format.ts";
import { rerunKeepingMemory } from "../../engine/allocator.ts";
import { engineBench } from "../../engine/bench.ts";
import { knownAutomaticEngine, listEngines } from "../../engine/registry.ts";
import { engineStep } from "../../engine/step.ts";
import { networkNamed } from "../../network/networks.ts";
import { chosenNetwork } from "../../network/network-file.ts";
import { table } from "../output.ts";
import { dataFolder } from "../../store/data-folder.ts";
import { dataOption, numberArgument, outputOf, wholeNumber } from "../session.ts";

interface ListOptions {
  readonly network: string;
  readonly resolution: number;
}

interface StepOptions {
  readonly network: string;
  readonly weights: string;
  readonly batch: string;
  readonly clip: number;
  readonly out: string;
  readonly engine: string;
  readonly ordinary?: boolean;
}

interface BenchOptions {
  readonly network: string;
  readonly resolution: number;
  readonly batch: number;
  readonly microbatch?: number;
  readonly repetitions: number;
  readonly engine: string;
}

/** `engine list`, `engine step`, `engine bench`: what computes, alone and without a store. */
export function addEngineCommands(program: Command): void {
  const engine = program.command("engine").description("what computes a training step");

  engine
    .command("list")
    .description(
      "engines with device and version, why an absent one is absent, and what auto takes",
    )
    .option("--network <name>", "the network that auto is for, or a JSON file", "resnet9-small")
    .option("--resolution <pixels>", "side of the frame that auto is for", wholeNumber(16), 64)
    .action(async (options: ListOptions, command: Command) => {
      const engines = await listEngines();
      const chosen = chosenNetwork(options.network);
      // A name that is none would be answered as if there were such a network.
      if (chosen.networkLayers === undefined) networkNamed(chosen.network);
      const automatic = await knownAutomaticEngine({
        ...chosen,
        resolutionPixels: options.resolution,
        dataFolder: dataFolder(dataOption(command)),
      });
      const task = `for ${chosen.network} at ${options.resolution} px`;
      const timed = timingWords(automatic);
      outputOf(command).result({ engines, automatic }, () =>
        table([
          ...engines.map(
            ({ name, available, device, version, driver, memoryMebibytes, reason }) => [
              name,
              available ? "available" : "absent",
              version ?? "–",
              available
                ? [
                    device ?? "",
                    driver == null ? "" : `driver ${driver}`,
                    memoryMebibytes == null ? "" : `${formatCount(memoryMebibytes)} MiB`,
                  ]
                    .filter((part) => part !== "")
                    .join(", ")
                : (reason ?? ""),
            ],
          ),
          [
            "auto",
            "",
            "",
            `${choiceWords(automatic)}, ${task}${timed === null ? "" : `: ${timed}`}`,
          ],
        ]),
      );
    });

  engine
    .command("step")
    .description("one private step of given weights on a given batch, without noise")
    .requiredOption("--network <name>", "the network, or a JSON file that describes one")
    .requiredOption("--weights <file>", "safetensors with the network's parameters")
    .requiredOption("--batch <file>", "safetensors with images and labels")
    .requiredOption("--clip <norm>", "bound on one unit's gradient", numberArgument)
    .requiredOption("--out <file>", "the safetensors to write")
    .option("--engine <name>", "what computes", "auto")
    .option("--ordinary", "also the gradient of the mean loss, as ordinary.PARAMETER")
    .action(async (options: StepOptions, command: Command) => {
      const result = await engineStep({
        chosen: chosenNetwork(options.network),
        weightsFile: resolve(options.weights),
        batchFile: resolve(options.batch),
        clippingNorm: options.clip,
        outFile: resolve(options.out),
        engine: options.engine,
        ordinary: options.ordinary === true,
      });
      outputOf(command).result(result, () => `${result.out}: ${result.units} units`);
    });

  engine
    .command("bench")
    .description("medians of a forward pass, an ordinary and a private step")
    .option("--network <name>", "the network, or a JSON file that describes one", "resnet9")
    .option("--resolution <pixels>", "side of the frame", wholeNumber(16), 64)
    .option("--batch <n>", "units in a batch", wholeNumber(1), 16)
    .option("--microbatch <n>", "units computed at once", wholeNumber(1))
    .option("--repetitions <n>", "timed repetitions after one that is not", wholeNumber(1), 7)
    .option("--engine <name>", "what computes", "auto")
    .action(async (options: BenchOptions, command: Command) => {
      const rerun = rerunKeepingMemory();
      if (rerun !== null) process.exit(rerun);
      const result = await engineBench({
        chosen: chosenNetwork(options.network),
        resolutionPixels: options.resolution,
        batch: options.batch,
        microbatch: options.microbatch ?? null,
        repetitions: options.repetitions,
        engine: options.engine,
      });
      outputOf(command).result(result, () =>
        table([
          ["forward", result.forwardMilliseconds.toFixed(1), "ms"],
          ["ordinary step", result.ordinaryMilliseconds.toFixed(1), "ms"],
          ["private step", result.privateMilliseconds.toFixed(1), "ms"],
          ...(result.privateTraffic === null
            ? []
            : [
                ["to the device", megabytes(result.privateTraffic.sentBytes), "MB a private step"],
                ["back", megabytes(result.privateTraffic.receivedBytes), "MB a private step"],
              ]),
          ["peak memory", result.peakMebibytes.toFixed(0), "MiB"],
          ["on", `${result.engine}, ${result.device}`, ""],
        ]),
      );
    });
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
