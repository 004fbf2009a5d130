/**
 * The layers of src/main from the lowest to the highest. A folder may import from those below it
 * and from its own row, never from a row above.
 */
const layers = [
  ["store"],
  ["dicom", "privacy", "network"],
  ["graph"],
  ["engine"],
  ["intake", "reading", "phantoms", "training", "evaluation", "report"],
  ["core"],
  ["shell", "cli"],
];

/** Zones of import-x/no-restricted-paths. */
export const layerZones = [
  ...layers.flatMap((row, level) => {
    const above = layers.slice(level + 1).flat();
    if (above.length === 0) return [];
    return row.map((folder) => ({
      target: `./src/main/${folder}`,
      from: [...above.map((name) => `./src/main/${name}`), "./src/main/index.ts"],
      message: `Imports point down: ${folder}/ stands below what it imports here.`,
    }));
  }),
  {
    target: "./src/shared",
    from: "./src",
    except: ["./shared"],
    message: "src/shared stands below everything and imports nothing of it.",
  },
  {
    target: ["./src/renderer", "./src/preload"],
    from: "./src/main",
    message: "The interface reaches the product through the contract only.",
  },
  {
    target: "./src/main",
    from: ["./src/renderer", "./src/preload"],
    message: "The product knows no interface.",
  },
  {
    target: ["./src/main/shell", "./src/main/index.ts"],
    from: "./src/main",
    except: ["./shell", "./store/data-folder.ts"],
    message: "The shell knows no domain: it starts the core as a process and forwards to it.",
  },
  {
    target: "./src",
    from: ["./tests", "./scripts", "./bench"],
    message: "The product does not depend on its tests and tools.",
  },
];

/** Packages that one place only may import, and that place. */
const owners = [
  { packages: ["better-sqlite3"], files: ["src/main/store/**"] },
  { packages: ["electron"], files: ["src/main/shell/**", "src/main/index.ts", "src/preload/**"] },
  { packages: ["onnxruntime-node"], files: ["src/main/engine/onnxruntime/**"] },
  {
    packages: [
      "@tensorflow/tfjs-core",
      "@tensorflow/tfjs-backend-cpu",
      "@tensorflow/tfjs-node-gpu",
    ],
    files: ["src/main/engine/tensorflow/**"],
  },
];

/** Nothing of Node: these run in the window, or also there. */
const withoutNode = ["src/shared/**", "src/renderer/**", "src/preload/**"];

const code = "{ts,svelte}";

/**
 * One configuration for each place whose permissions differ. A later one replaces an earlier one's
 * rule, so each states all that is forbidden in its place.
 */
export const packageRules = [
  { files: [`src/**/*.${code}`], rules: forbid(owners, false) },
  ...owners.map((owner) => ({
    files: owner.files,
    rules: forbid(
      owners.filter((other) => other !== owner),
      false,
    ),
  })),
  { files: withoutNode, ignores: ["src/preload/**"], rules: forbid(owners, true) },
  {
    files: ["src/preload/**"],
    rules: forbid(
      owners.filter(({ packages }) => !packages.includes("electron")),
      true,
    ),
  },
];

/** The rules that forbid the packages of `forbidden` and, where asked, Node's own modules. */
function forbid(forbidden, node) {
  const packages = forbidden.map(({ packages: names, files }) => ({
    group: names.flatMap((name) => [name, `${name}/**`]),
    message: `Only ${files.join(", ")} may import it.`,
  }));
  const names = forbidden.flatMap((owner) => owner.packages).map(escapePattern);
  if (node) {
    packages.push({ group: ["node:*"], message: "This code has no Node." });
    names.push("node:.*");
  }
  return {
    "no-restricted-imports": ["error", { patterns: packages }],
    "no-restricted-syntax": [
      "error",
      {
        selector: `ImportExpression[source.value=/^(${names.join("|")})($|\\u002F)/]`,
        message: "This package may not be imported here, also not late.",
      },
    ],
  };
}

function escapePattern(text) {
  return text.replaceAll("/", "\\u002F").replaceAll(".", "\\.");
}
