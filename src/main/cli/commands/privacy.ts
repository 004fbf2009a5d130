import { readFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { z } from "zod";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { formatEpsilon } from "../../../shared/format.ts";
import { epsilonOf, type Accountant } from "../../privacy/accountant.ts";
import { noiseMultiplierFor } from "../../privacy/calibrate.ts";
import { numberArgument, outputOf, wholeNumber } from "../session.ts";

const mechanismsSchema = z.array(
  z.object({
    samplingRate: z.number(),
    noiseMultiplier: z.number(),
    steps: z.number(),
    imagesPerPatient: z.number().exactOptional(),
  }),
);

/** `privacy epsilon`, `privacy noise`, `privacy compose`: the accountants alone, without a store. */
export function addPrivacyCommands(program: Command): void {
  const privacy = program.command("privacy").description("account for a mechanism");

  privacy
    .command("epsilon")
    .description("epsilon of Poisson-subsampled Gaussian steps")
    .requiredOption("--sampling-rate <q>", "probability of a unit in a step", numberArgument)
    .requiredOption("--noise-multiplier <sigma>", "noise in units of the norm", numberArgument)
    .requiredOption("--steps <n>", "number of steps", wholeNumber(0))
    .requiredOption("--delta <delta>", "delta", numberArgument)
    .option("--accountant <name>", "rdp, pld or best", accountantArgument, "best")
    .option(
      "--images-per-patient <k>",
      "images of a patient, each sampled by itself",
      wholeNumber(1),
      1,
    )
    .action((options: EpsilonOptions, command: Command) => {
      const { delta, accountant, imagesPerPatient } = options;
      const bound = epsilonOf([options], delta, accountant, imagesPerPatient);
      outputOf(command).result(bound, () => `epsilon ${formatEpsilon(bound.epsilon)}`);
    });

  privacy
    .command("noise")
    .description("the least noise multiplier that keeps within epsilon")
    .requiredOption("--epsilon <epsilon>", "the epsilon not to exceed", numberArgument)
    .requiredOption("--sampling-rate <q>", "probability of a unit in a step", numberArgument)
    .requiredOption("--steps <n>", "number of steps", wholeNumber(1))
    .requiredOption("--delta <delta>", "delta", numberArgument)
    .option("--accountant <name>", "rdp, pld or best", accountantArgument, "best")
    .action((options: NoiseOptions, command: Command) => {
      const noise = noiseMultiplierFor(options, options.accountant);
      outputOf(command).result(noise, () => `noise multiplier ${String(noise.noiseMultiplier)}`);
    });

  privacy
    .command("compose <file>")
    .description("epsilon of several mechanisms together")
    .requiredOption("--delta <delta>", "delta", numberArgument)
    .option("--accountant <name>", "rdp, pld or best", accountantArgument, "best")
    .action((file: string, options: ComposeOptions, command: Command) => {
      const bound = epsilonOf(readMechanisms(file), options.delta, options.accountant);
      outputOf(command).result(bound, () => `epsilon ${formatEpsilon(bound.epsilon)}`);
    });
}

interface ComposeOptions {
  readonly delta: number;
  readonly accountant: Accountant;
}

interface EpsilonOptions extends ComposeOptions {
  readonly samplingRate: number;
  readonly noiseMultiplier: number;
  readonly steps: number;
  readonly imagesPerPatient: number;
}

interface NoiseOptions extends ComposeOptions {
  readonly epsilon: number;
  readonly samplingRate: number;
  readonly steps: number;
}

function accountantArgument(text: string): Accountant {
  if (text === "rdp" || text === "pld" || text === "best") return text;
  throw new InvalidArgumentError(`there is no accountant "${text}"; choose rdp, pld or best`);
}

function readMechanisms(file: string): z.infer<typeof mechanismsSchema> {
  try {
    return mechanismsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (thrown) {
    const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new UserError(
      "input",
      `${file} is not a list of mechanisms: ${reason}. ` +
        'Expected [{"samplingRate": q, "noiseMultiplier": s, "steps": T, "imagesPerPatient": k}, ...]; k is 1 where left out.',
      { cause: thrown },
    );
  }
}
