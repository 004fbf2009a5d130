#!/usr/bin/env node
// Assembles src/main/dicom/kernel/kernel.wat into kernel.wasm.ts beside it, which is committed so
// that neither a fresh machine nor a build needs the assembler. A test compares the two.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const folder = new URL("../src/main/dicom/kernel/", import.meta.url);

/** The module as base64. */
export async function assembleKernel() {
  const { parseWat } = await wabt();
  const text = readFileSync(new URL("kernel.wat", folder), "utf8");
  const module = parseWat("kernel.wat", text, { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.from(buffer).toString("base64");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = (await assembleKernel()).match(/.{1,96}/g) ?? [];
  const body = lines.map((line) => `  "${line}"`).join(" +\n");
  writeFileSync(
    new URL("kernel.wasm.ts", folder),
    `/** kernel.wat, assembled by scripts/kernel.mjs; in base64. Do not edit. */\nexport const kernelModule =\n${body};\n`,
  );
}
