import { UserError } from "../../shared/errors.ts";
import type { Engine, EngineDescription } from "./engine.ts";
import { cpuEngine, describeCpu } from "./onnxruntime/engine.ts";

interface Candidate {
  readonly name: string;
  readonly describe: () => Promise<EngineDescription>;
  readonly open: () => Promise<Engine>;
}

/** In the order in which `auto` takes them. */
const candidates: readonly Candidate[] = [
  {
    name: "onnxruntime-cpu",
    describe: () => Promise.resolve(describeCpu()),
    open: () => Promise.resolve(cpuEngine()),
  },
];

/** Every engine that this program knows, with the reason where one is absent. Never throws. */
export function listEngines(): Promise<EngineDescription[]> {
  return Promise.all(candidates.map((candidate) => candidate.describe()));
}

/**
 * Opens an engine by name; "auto" takes the first that is available.
 *
 * Throws UserError: "not-found" for an unknown name, "resource" for an engine that is absent,
 * with the reason and what would bring it.
 */
export async function openEngine(name: string): Promise<Engine> {
  if (name === "auto") {
    for (const candidate of candidates)
      if ((await candidate.describe()).available) return candidate.open();
  }
  const candidate = candidates.find((other) => other.name === name);
  if (candidate === undefined)
    throw new UserError(
      "not-found",
      `There is no engine named ${name}. Choose one of: auto, ` +
        `${candidates.map((other) => other.name).join(", ")}.`,
    );
  const { available, reason } = await candidate.describe();
  if (!available)
    throw new UserError("resource", `The engine ${name} cannot be used here: ${reason ?? ""}`);
  return candidate.open();
}
