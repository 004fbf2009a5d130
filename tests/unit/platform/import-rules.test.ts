import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Rules that need types are off here: they want the file on disk, and are not what is tested. */
const eslint = new ESLint({
  cwd: root,
  overrideConfig: {
    languageOptions: { parserOptions: { project: false, projectService: false } },
  },
  ruleFilter: ({ ruleId }) =>
    ["import-x/no-restricted-paths", "import-x/extensions"].includes(ruleId) ||
    ["no-restricted-imports", "no-restricted-syntax"].includes(ruleId),
});

async function rulesBrokenBy(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: `${root}/${file}` });
  return result!.messages.map(({ ruleId, message }) => ruleId ?? message);
}

describe("the import rules", () => {
  it.each([
    ["src/main/store/a.ts", 'import "../core/shell-port.ts";'],
    ["src/main/network/a.ts", 'import "../engine/engine.ts";'],
    ["src/main/engine/a.ts", 'import "../core/shell-port.ts";'],
    ["src/main/core/a.ts", 'import "../shell/addresses.ts";'],
    ["src/main/core/a.ts", 'import "../index.ts";'],
    ["src/main/shell/a.ts", 'import "../core/shell-port.ts";'],
    ["src/shared/a.ts", 'import "../main/store/data-folder.ts";'],
    ["src/renderer/a.ts", 'import "../main/store/data-folder.ts";'],
    ["src/preload/a.ts", 'import "../main/shell/addresses.ts";'],
  ])("%s may not reach up or across with %s", async (file, code) => {
    expect(await rulesBrokenBy(file, code)).toEqual(["import-x/no-restricted-paths"]);
  });

  it.each([
    ["src/main/core/a.ts", "better-sqlite3"],
    ["src/main/core/a.ts", "electron"],
    ["src/main/cli/a.ts", "electron/main"],
    ["src/main/training/a.ts", "onnxruntime-node"],
    ["src/main/engine/tensorflow/a.ts", "onnxruntime-node"],
    ["src/main/engine/onnxruntime/a.ts", "@tensorflow/tfjs-core"],
    ["src/renderer/a.ts", "electron"],
    ["src/renderer/a.ts", "node:fs"],
    ["src/shared/a.ts", "node:path"],
    ["src/preload/a.ts", "node:fs"],
  ])("%s may not import %s", async (file, name) => {
    expect(await rulesBrokenBy(file, `import "${name}";`)).toEqual(["no-restricted-imports"]);
    expect(await rulesBrokenBy(file, `await import("${name}");`)).toEqual(["no-restricted-syntax"]);
  });

  it("want the extension of a file", async () => {
    expect(await rulesBrokenBy("src/main/core/a.ts", 'import "./shell-port";')).toEqual([
      "import-x/extensions",
    ]);
  });

  it.each([
    ["src/main/store/a.ts", 'import "better-sqlite3"; import "../../shared/errors.ts";'],
    ["src/main/core/a.ts", 'import "../store/data-folder.ts"; import "../engine/engine.ts";'],
    ["src/main/shell/a.ts", 'import "electron"; import "../store/data-folder.ts";'],
    ["src/main/index.ts", 'import "electron"; import "./shell/application.ts";'],
    ["src/preload/a.ts", 'import "electron"; import "../shared/errors.ts";'],
    ["src/main/engine/onnxruntime/a.ts", 'import "onnxruntime-node"; import "../engine.ts";'],
    ["src/main/engine/tensorflow/a.ts", 'await import("@tensorflow/tfjs-node-gpu");'],
  ])("let %s import what it stands above: %s", async (file, code) => {
    expect(await rulesBrokenBy(file, code)).toEqual([]);
  });
});
