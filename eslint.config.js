import js from "@eslint/js";
import importX from "eslint-plugin-import-x";
import svelte from "eslint-plugin-svelte";
import { defineConfig } from "eslint/config";
import globals from "globals";
import ts from "typescript-eslint";
import { layerZones, packageRules } from "./scripts/lint/imports.js";

/** Where TypeScript is checked with its types; `.svelte` files are checked by svelte-check. */
const typed = ["src/**/*.ts", "tests/**/*.ts", "bench/**/*.ts", "*.config.ts"];

export default defineConfig(
  { ignores: ["out/", "dist/", "coverage/", "test-results/", "playwright-report/", ".cache/"] },
  { linterOptions: { noInlineConfig: true } },
  js.configs.recommended,
  {
    files: typed,
    extends: [ts.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.json", "tsconfig.renderer.json", "tsconfig.browser-tests.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // A type argument that repeats the default still says something to the reader.
      "@typescript-eslint/no-unnecessary-type-arguments": "off",
      // Process boundaries hand over plain data whose type only the receiver's schema knows.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // Coefficients stand here with the digits of their sources.
      "no-loss-of-precision": "off",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_$" }],
      // Libraries hand out instances that they made themselves.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "no-console": ["error", { allow: ["error"] }],
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    files: ["src/preload/**"],
    rules: {
      // What leaves the preload script is cloned, and a cloned Error keeps only its message.
      "@typescript-eslint/prefer-promise-reject-errors": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    extends: [ts.configs.strict, svelte.configs.recommended],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"] },
    },
    rules: {
      "no-console": ["error", { allow: ["error"] }],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-undef": "off",
    },
  },
  {
    files: ["scripts/**/*.{js,mjs}", "tests/**/*.mjs", "*.config.js"],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["**/*.{ts,svelte,js,mjs}"],
    plugins: { "import-x": importX },
    rules: {
      "import-x/extensions": ["error", "ignorePackages", { checkTypeImports: true }],
      "import-x/no-restricted-paths": ["error", { zones: layerZones }],
    },
  },
  ...packageRules,
  {
    // What a command prints is its result.
    files: ["src/main/cli/**/*.ts", "bench/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["tests/**/*.ts"],
    rules: {
      // In a test a missing value is a failure with a stack, which is what one wants.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
