import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "@playwright/test";
import { contentSecurityPolicy } from "../../src/main/shell/content-security-policy.ts";
import { launch, type Launched } from "./launch.ts";

/** A server that really listens: a request that is denied must fail though it could succeed. */
let server: Server;
let serverAddress: string;
let requests: string[];
let launched: Launched;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? "");
    response.setHeader("access-control-allow-origin", "*");
    response.end("reached");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  serverAddress = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await fetch(`${serverAddress}/control`)).text()).toBe("reached");
  launched = await launch();
});

test.afterAll(async () => {
  await launched.close();
  server.close();
});

function shownAddress(): Promise<unknown> {
  return launched.application.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript("location.href"),
  );
}

test("the window is drawn, and nothing that it needs is refused", async () => {
  // Kept beside the results, for whoever wants to see what the test saw.
  const image = await launched.page.screenshot({ path: "test-results/window.png" });
  expect(image.length).toBeGreaterThan(1000);
  expect(launched.complaints.filter((text) => /Uncaught|Refused|TypeError/.test(text))).toEqual([]);
});

test("the page has the bridge and nothing of Node or Electron", async () => {
  const seen = await launched.page.evaluate(() => {
    const names = ["require", "process", "module", "Buffer", "electron", "ipcRenderer", "global"];
    return {
      present: names.filter((name) => name in globalThis),
      bridge: Object.keys((globalThis as unknown as { silhouette: object }).silhouette),
      address: location.href,
    };
  });
  expect(seen.present).toEqual([]);
  expect(seen.bridge.sort()).toEqual(["call", "on", "pathsOf"]);
  expect(seen.address).toBe("app://silhouette/index.html");
});

test("the window is sandboxed, isolated and without integration", async () => {
  const preferences = await launched.application.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    // Electron offers these for tests without describing them.
    const contents = window?.webContents as unknown as {
      getLastWebPreferences(): Record<string, unknown>;
    };
    const { sandbox, contextIsolation, nodeIntegration, webviewTag } =
      contents.getLastWebPreferences();
    return { sandbox, contextIsolation, nodeIntegration, webviewTag };
  });
  expect(preferences).toEqual({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
  });
});

test("the page is served under the content security policy", async () => {
  const header = await launched.page.evaluate(async () => {
    const response = await fetch(location.href);
    return response.headers.get("content-security-policy");
  });
  expect(header).toBe(contentSecurityPolicy);
  const evaluated = await launched.page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.wasRun = true";
    document.head.append(script);
    return "wasRun" in globalThis;
  });
  expect(evaluated).toBe(false);
});

test("no request leaves the application", async () => {
  const outcomes = await launched.page.evaluate(async (address) => {
    const attempt = (promise: Promise<unknown>) =>
      promise.then(
        () => "reached",
        () => "denied",
      );
    const load = (element: HTMLImageElement | HTMLScriptElement | HTMLIFrameElement, to: string) =>
      new Promise<void>((resolve, reject) => {
        element.addEventListener("load", () => resolve());
        element.addEventListener("error", () => reject(new Error(to)));
        setTimeout(() => reject(new Error("nothing came")), 1500);
        element.src = to;
        document.body.append(element);
      });
    return {
      fetch: await attempt(fetch(`${address}/fetch`)),
      image: await attempt(load(new Image(), `${address}/image`)),
      script: await attempt(load(document.createElement("script"), `${address}/script`)),
      socket: await attempt(
        new Promise((resolve, reject) => {
          const socket = new WebSocket(`${address.replace("http", "ws")}/socket`);
          socket.addEventListener("open", resolve);
          socket.addEventListener("error", reject);
        }),
      ),
      beacon: navigator.sendBeacon(`${address}/beacon`) ? "queued" : "denied",
      file: await attempt(fetch("file:///etc/hostname")),
    };
  }, serverAddress);
  expect(outcomes).toMatchObject({
    fetch: "denied",
    image: "denied",
    script: "denied",
    socket: "denied",
    file: "denied",
  });
  expect(requests).toEqual(["/control"]);
});

test("the network is closed below the page's policy as well", async () => {
  const outcome = await launched.application.evaluate(async ({ session }, address) => {
    try {
      await session.defaultSession.fetch(`${address}/session`);
      return "reached";
    } catch {
      return "denied";
    }
  }, serverAddress);
  expect(outcome).toBe("denied");
  expect(requests).toEqual(["/control"]);
});

test("no window opens, by script or by link", async () => {
  const opened = await launched.page.evaluate((address) => {
    const link = document.createElement("a");
    link.href = `${address}/link`;
    link.target = "_blank";
    document.body.append(link);
    link.click();
    return window.open(`${address}/window`) !== null || window.open("about:blank") !== null;
  }, serverAddress);
  expect(opened).toBe(false);
  expect(launched.application.windows()).toHaveLength(1);
  expect(requests).toEqual(["/control"]);
});

test("the page cannot be led away", async () => {
  const targets = [
    `${serverAddress}/navigation`,
    "file:///etc/hostname",
    "data:text/html,elsewhere",
    "about:blank",
  ];
  for (const target of targets) {
    await launched.page.evaluate((address) => {
      location.assign(address);
    }, target);
    await launched.page.waitForTimeout(300);
    // Asked of Electron: the driver takes a navigation that was denied for one under way.
    await expect.poll(shownAddress, target).toBe("app://silhouette/index.html");
  }
  expect(requests).toEqual(["/control"]);
});

test("permissions are denied", async () => {
  const states = await launched.page.evaluate(async () => {
    const camera = await navigator.mediaDevices.getUserMedia({ video: true }).then(
      () => "granted",
      () => "denied",
    );
    return { camera, notification: await Notification.requestPermission() };
  });
  expect(states).toEqual({ camera: "denied", notification: "denied" });
});

test("files outside the interface are not served", async () => {
  const statuses = await launched.page.evaluate(async () => {
    const addresses = [
      "app://silhouette/..%2fmain%2findex.js",
      "app://silhouette/%2e%2e/preload/index.cjs",
      "app://silhouette/",
    ];
    return Promise.all(addresses.map(async (address) => (await fetch(address)).status));
  });
  expect(statuses).toEqual([404, 404, 404]);
});

test("procedures outside the contract do not exist", async () => {
  const answers = await launched.page.evaluate(async () => {
    const bridge = (
      globalThis as unknown as {
        silhouette: { call(procedure: string, input: unknown): Promise<unknown> };
      }
    ).silhouette;
    const names = ["toString", "__proto__", "shell:run", "core:stop"];
    return Promise.all(
      names.map((name) =>
        bridge.call(name, {}).then(
          () => "answered",
          (error: unknown) => (error as { kind: string }).kind,
        ),
      ),
    );
  });
  expect(answers).toEqual(["not-found", "not-found", "not-found", "not-found"]);
});
