#!/usr/bin/env node
// Assembles each kernel.wat of the product into kernel.wasm.ts beside it, which is committed so
// that neither a fresh machine nor a build needs the assembler. Tests compare the two.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

/** Where the kernels lie: "dicom" has the loops over pixels, "training" those over weights. */
export const kernels = /** @type {const} */ (["dicom", "training"]);

/** @param {string} name */
function folderOf(name) {
  return new URL(`../src/main/${name}/kernel/`, import.meta.url);
}

/** The module as base64. */
export async function assembleKernel(name = "dicom") {
  const { parseWat } = await wabt();
  const text = readFileSync(new URL("kernel.wat", folderOf(name)), "utf8");
  const module = parseWat("kernel.wat", text, { simd: true, threads: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.from(buffer).toString("base64");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of kernels) {
    const lines = (await assembleKernel(name)).match(/.{1,96}/g) ?? [];
    const body = lines.map((line) => `  "${line}"`).join(" +\n");
    writeFileSync(
      new URL("kernel.wasm.ts", folderOf(name)),
      `/** kernel.wat, assembled by scripts/kernel.mjs; in base64. Do not edit. */\nexport const kernelModule =\n${body};\n`,
    );
  }
}
