import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { CoreHost } from "../../src/main/shell/core-host.ts";
import { startNodeCore } from "../../src/main/shell/node-core.ts";

const script = fileURLToPath(new URL("../fixtures/core.mjs", import.meta.url));

interface Hosted {
  readonly core: CoreHost;
  readonly events: [string, unknown][];
  readonly restarts: string[];
  readonly failures: string[];
}

const hosts: CoreHost[] = [];

function host(data: string): Hosted {
  const events: [string, unknown][] = [];
  const restarts: string[] = [];
  const failures: string[] = [];
  const core = new CoreHost({
    start: () => startNodeCore(process.execPath, script, ["--data", data]),
    onEvent: (event, payload) => events.push([event, payload]),
    onRestarted: (message) => restarts.push(message),
    onFailed: (message) => failures.push(message),
    timing: { restartMilliseconds: 5, stopMilliseconds: 300 },
  });
  hosts.push(core);
  return { core, events, restarts, failures };
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((core) => core.stop()));
});

describe("the host of the core", () => {
  it("answers a call that was made before the core was ready", async () => {
    const { core } = host("folder");
    await expect(core.call("who", {})).resolves.toMatchObject({ data: "folder" });
  });

  it("hands on the core's own error", async () => {
    const { core } = host("folder");
    await expect(core.call("refuse", {})).rejects.toMatchObject({
      name: "UserError",
      kind: "not-found",
      message: "There is no run 7.",
    });
  });

  it("carries pixels as bytes", async () => {
    const { core } = host("folder");
    const { headers, body } = await core.pixels("film/42");
    expect(headers).toEqual({ "x-rows": "1" });
    expect(body).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(body).toString("latin1")).toBe("film/42");
  });

  it("passes events on in order", async () => {
    const { core, events } = host("folder");
    await core.call("tell", 1);
    await core.call("tell", 2);
    expect(events).toEqual([
      ["told", 1],
      ["told", 2],
    ]);
  });

  it("restarts a core that was killed, rejects what was under way, and says so", async () => {
    const { core, restarts, failures } = host("folder");
    const first = await core.call("who", {});
    const underWay = expect(core.call("wait", {})).rejects.toMatchObject({
      kind: "resource",
      message: expect.stringContaining("SIGKILL") as string,
    });
    await expect(core.call("die", {})).rejects.toMatchObject({ kind: "resource" });
    await underWay;
    const second = await core.call("who", {});
    expect(second).not.toEqual(first);
    expect(restarts).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it("gives up on a core that dies again and again", async () => {
    const { core, failures } = host("dead");
    await expect(core.call("who", {})).rejects.toThrow(/6 times in a row \(exit code 3\)/);
    expect(failures).toHaveLength(1);
    await expect(core.call("who", {})).rejects.toThrow(/in a row/);
  });

  it("does not restart a core that says why it cannot start", async () => {
    const { core, failures, restarts } = host("failed");
    await expect(core.call("who", {})).rejects.toThrow("The store is newer than this version.");
    expect(failures).toEqual(["The store is newer than this version."]);
    expect(restarts).toEqual([]);
  });

  it("ends a core that does not stop when it is asked to", async () => {
    const { core } = host("stubborn");
    const { pid } = (await core.call("who", {})) as { pid: number };
    await core.stop();
    expect(() => process.kill(pid, 0)).toThrow();
    await expect(core.call("who", {})).rejects.toThrow("closing");
  });
});
