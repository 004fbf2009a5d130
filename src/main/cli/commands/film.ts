import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { decodeFile } from "../../dicom/open-film.ts";
import { renderFrame } from "../../dicom/pixels.ts";
import { greyPng } from "../../dicom/png.ts";
import { outputOf, wholeNumber } from "../session.ts";

/** `decode` and `render`: one film, without a store. */
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
    .action(async (file: string, options: { size: number; out: string }, command: Command) => {
      const { pixels, sizePixels } = await readable(file, () =>
        renderFrame(resolve(file), options.size),
      );
      const out = resolve(options.out);
      writeFileSync(out, greyPng(pixels, sizePixels));
      outputOf(command).result({ file: out, sizePixels }, () => out);
    });
}

/** Names the file in whatever goes wrong with it. */
async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw new UserError("input", `${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
