import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Session } from "electron";
import { interfaceHost, interfaceScheme } from "./addresses.ts";
import { contentSecurityPolicy } from "./content-security-policy.ts";
import { resourcePath } from "./resource-path.ts";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

const headers = {
  "content-security-policy": contentSecurityPolicy,
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Serves the built interface out of `folder` under `app://silhouette/`. */
export function serveInterface(session: Session, folder: string): void {
  session.protocol.handle(interfaceScheme, async (request) => {
    const url = new URL(request.url);
    const file = url.host === interfaceHost ? resourcePath(folder, url.pathname) : null;
    const contentType = file === null ? undefined : contentTypes[extname(file)];
    if (request.method !== "GET" || file === null || contentType === undefined) {
      return new Response("Not found", { status: 404, headers });
    }
    try {
      const body = await readFile(file);
      return new Response(body, { headers: { ...headers, "content-type": contentType } });
    } catch {
      return new Response("Not found", { status: 404, headers });
    }
  });
}
