import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { dataArgument } from "../../../src/main/shell/arguments.ts";
import { carriesCore } from "../../../src/main/shell/node-version.ts";
import { chooseDataFolder } from "../../../src/main/store/data-folder.ts";

describe("the data folder", () => {
  const linux = { platform: "linux" as const, home: "/home/a", environment: {} };

  it("is the argument's before the environment's before the system's", () => {
    const environment = { SILHOUETTE_DATA: "/data/b", XDG_CONFIG_HOME: "/config" };
    expect(chooseDataFolder({ ...linux, environment, argument: "/data/a" })).toBe(
      resolve("/data/a"),
    );
    expect(chooseDataFolder({ ...linux, environment })).toBe(resolve("/data/b"));
    expect(chooseDataFolder({ ...linux, environment: { XDG_CONFIG_HOME: "/config" } })).toBe(
      join("/config", "Silhouette"),
    );
    expect(chooseDataFolder(linux)).toBe(join("/home/a", ".config", "Silhouette"));
  });

  it("is where each system keeps the data of an application", () => {
    expect(chooseDataFolder({ ...linux, platform: "darwin" })).toBe(
      join("/home/a", "Library", "Application Support", "Silhouette"),
    );
    const environment = { APPDATA: "/roaming" };
    expect(chooseDataFolder({ ...linux, platform: "win32", environment })).toBe(
      join("/roaming", "Silhouette"),
    );
  });

  it("is found among the flags of Chromium and of the test's driver", () => {
    const flags = ["electron", "--inspect=0", ".", "--no-sandbox"];
    expect(dataArgument([...flags, "--data", "/data/c"])).toBe("/data/c");
    expect(dataArgument([...flags, "--data=/data/d"])).toBe("/data/d");
    expect(dataArgument(flags)).toBeUndefined();
  });
});

describe("the Node that the core needs", () => {
  it.each([
    ["20.18.1", false],
    ["22.13.9", false],
    ["22.14.0", true],
    ["24.9.0", true],
  ])("%s: %s", (version, expected) => {
    expect(carriesCore(version)).toBe(expected);
  });
});
