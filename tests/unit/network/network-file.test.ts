import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenNetwork, readNetworkFile } from "../../../src/main/network/network-file.ts";
import { networkNamed, networkOf } from "../../../src/main/network/networks.ts";

let folder: string;
const written = (value: unknown, name = "network.json"): string => {
  const file = join(folder, name);
  writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
  return file;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "silhouette-network-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("a network from a file", () => {
  it("is the network that its layers say, for the labels at hand", () => {
    const { layers } = networkNamed("resnet9", 5);
    const chosen = chosenNetwork(written({ name: "mine", layers }));
    expect(networkOf(chosen, 5)).toEqual({ ...networkNamed("resnet9", 5), name: "mine" });
    expect(() => networkOf(chosen, 8)).toThrow(/mine cannot be used: it ends in 5 logits for 8/);
  });

  it("is told from a name by its ending", () => {
    expect(chosenNetwork("resnet9-small")).toEqual({ network: "resnet9-small" });
    expect(() => chosenNetwork("nothing-there.JSON")).toThrow(/nothing-there\.JSON describes no/);
  });

  it("is refused, with the file and the reason, where it is none", () => {
    const { layers } = networkNamed("resnet9-small");
    const refused = (value: unknown) => () => readNetworkFile(written(value, "bad.json"));
    expect(refused("{")).toThrow(/bad\.json describes no network: .*JSON/);
    expect(refused({ name: "a" })).toThrow(/layers/);
    expect(refused({ name: "a b/c", layers })).toThrow(/name: letters, digits/);
    expect(refused({ name: "a", layers, labels: 3 })).toThrow(/labels/);
    expect(refused({ name: "resnet9", layers })).toThrow(/give the network in bad\.json another/);
  });

  it("may not mix the examples of a batch", () => {
    const layers = [{ kind: "batchNorm", name: "bn1", channels: 1 }];
    const chosen = readNetworkFile(written({ name: "mixing", layers }));
    expect(() => networkOf(chosen)).toThrow(/whole batch/);
  });
});
