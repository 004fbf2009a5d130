import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../../shared/errors.ts";
import type { ChosenNetwork } from "../../shared/plan.ts";
import { networkNames } from "./networks.ts";

const fileSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,60}$/, "letters, digits, dots and dashes, at most 60"),
  layers: z.array(z.record(z.string(), z.unknown())).min(1).max(1000),
});

/** Larger files are no descriptions of layers. */
const mostBytes = 4 * 2 ** 20;

/** What a person means by `--network`: a file where it ends in .json, else a name. */
export function chosenNetwork(nameOrFile: string): Required<ChosenNetwork> | ChosenNetwork {
  return nameOrFile.toLowerCase().endsWith(".json")
    ? readNetworkFile(nameOrFile)
    : { network: nameOrFile };
}

/**
 * A network of the user's own: `{"name": ..., "layers": [...]}` with layers as in
 * description.ts. Whether they fit together is for `networkOf`, which knows the labels.
 *
 * Throws UserError ("input"), naming the file, for one that cannot be read, that is no such
 * description, or whose name is one of the product's own networks'.
 */
export function readNetworkFile(file: string): Required<ChosenNetwork> {
  const refuse = (problem: string): UserError =>
    new UserError("input", `${file} describes no network: ${problem}.`);
  let value: unknown;
  try {
    const bytes = readFileSync(file);
    if (bytes.length > mostBytes) throw new Error("it is larger than 4 MiB");
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") ?? "";
    throw refuse(`${field === "" ? "" : `${field}: `}${issue?.message ?? "it is not understood"}`);
  }
  const { name, layers } = parsed.data;
  if (networkNames.some((known) => known === name))
    throw refuse(
      `the name ${name} is that of one of the product's networks; give the network in ` +
        `${basename(file)} another`,
    );
  return { network: name, networkLayers: layers };
}
