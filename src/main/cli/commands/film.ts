import { existsSync, realpathSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { deidentify } from "../../dicom/deidentification/deidentify.ts";
import { readOriginal } from "../../dicom/archive.ts";
import { FileBuffer } from "../../dicom/file-buffer.ts";
import { decodeFile } from "../../dicom/open-film.ts";
import { defaultPreparation, pixelPipelineOf } from "../../dicom/pipeline.ts";
import { renderFrame } from "../../dicom/training-frame.ts";
import { greyPng } from "../../dicom/png.ts";
import type { Region } from "../../dicom/regions.ts";
import { outputOf, withSiteIdentity, wholeNumber } from "../session.ts";

/** `decode`, `render` and `deidentify`: one film, whether it is in a cohort or not. */
export function addFilmCommands(program: Command): void {
  program
    .command("decode <file>")
    .description("the stored values of a film, before any look-up table")
    .option("--frame <n>", "frame, counted from 0", wholeNumber(0), 0)
    .action(async (file: string, options: { frame: number }, command: Command) => {
      const { values, ...decoded } = await readable(file, () =>
        decodeFile(resolve(file), options.frame),
      );
      outputOf(command).result(
        decoded,
        () =>
          `${decoded.columns} x ${decoded.rows}, ${decoded.bitsStored} bits stored, ` +
          `${decoded.photometricInterpretation}, ${values.length} values, ` +
          `sha256 ${decoded.sha256}`,
      );
    });

  program
    .command("render <file>")
    .description("the training frame of a film, as the pixel pipeline makes it")
    .requiredOption("--size <pixels>", "side of the frame", wholeNumber(16))
    .requiredOption("--out <png>", "the PNG to write")
    .option(
      "--pipeline <name>",
      "the pixel pipeline, such as 2+stretch+equalise",
      pixelPipelineOf(defaultPreparation),
    )
    .action(async (file: string, options: RenderOptions, command: Command) => {
      const { pixels, sizePixels } = await readable(file, () =>
        renderFrame(resolve(file), options.size, options.pipeline),
      );
      const out = resolve(options.out);
      writeFileSync(out, greyPng(pixels, sizePixels));
      outputOf(command).result({ file: out, sizePixels }, () => out);
    });

  program
    .command("deidentify <file>")
    .description("a de-identified copy of a film after DICOM PS3.15, with dates moved")
    .requiredOption("--out <file>", "the DICOM file to write")
    .option("--keep-characteristics", "keep sex, age, size and weight")
    .option(
      "--blackout <left,top,width,height>",
      "blacken a rectangle of the film; may be given again",
      rectangle,
      [],
    )
    .option("--reviewed", "a person has seen that no text of the image names the patient")
    .action(async (file: string, options: DeidentifyChoices, command: Command) => {
      await withSiteIdentity(command, async (identity, output) => {
        const out = resolve(options.out);
        refuseSameFile(resolve(file), out);
        const { bytes, ...copy } = await readable(file, async () =>
          deidentify(await readOriginal(resolve(file), new FileBuffer()), {
            keys: identity,
            keepCharacteristics: options.keepCharacteristics === true,
            regions: options.blackout,
            pixelsReviewed: options.reviewed === true,
          }),
        );
        writeFileSync(out, bytes);
        if (copy.burnedInAnnotation !== "NO") {
          output.message(
            copy.burnedInAnnotation === "YES"
              ? "The film declares text burned into the image, which this copy still shows. " +
                  "Blacken it with --blackout."
              : "Nothing says whether text is burned into the image. Look at the copy before you " +
                  "pass it on; --blackout blackens, --reviewed records that you looked.",
          );
        }
        output.result({ file: out, ...copy }, () => `${out}, patient ${copy.patient}`);
      });
    });
}

interface DeidentifyChoices {
  readonly out: string;
  readonly keepCharacteristics?: boolean;
  readonly blackout: readonly Region[];
  readonly reviewed?: boolean;
}

function rectangle(text: string, before: readonly Region[]): readonly Region[] {
  const parts = text.split(",").map((part) => wholeNumber(0)(part));
  const [left, top, width, height] = parts;
  if (
    parts.length !== 4 ||
    left === undefined ||
    top === undefined ||
    width === undefined ||
    height === undefined
  ) {
    throw new InvalidArgumentError("four numbers are needed: left,top,width,height");
  }
  return [...before, { left, top, width, height }];
}

/** The original is never written over: what is gone from it is gone. */
function refuseSameFile(file: string, out: string): void {
  if (existsSync(file) && existsSync(out) && realpathSync(file) === realpathSync(out)) {
    throw new UserError("input", `${out} is the original itself. Choose another file for --out.`);
  }
}

interface RenderOptions {
  readonly size: number;
  readonly out: string;
  readonly pipeline: string;
}

/** Names the file in whatever goes wrong with it. */
async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw new UserError("input", `${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
