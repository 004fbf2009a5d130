import type { Session } from "electron";
import { messageOf } from "../../shared/errors.ts";
import { interfaceOrigin, pixelsScheme } from "./addresses.ts";
import { CoreError, type CoreHost } from "./core-host.ts";
import { pixelsPath } from "./pixels-path.ts";

/**
 * Serves `pixels://KIND/NUMBER` with what the core answers, to the interface only. The interface
 * stands on another origin, so the answer has to name it.
 */
export function servePixels(
  session: Session,
  core: CoreHost,
  developmentServer: string | null,
): void {
  const crossOrigin = {
    "access-control-allow-origin": developmentServer ?? interfaceOrigin,
    "access-control-expose-headers": "*",
    "x-content-type-options": "nosniff",
  };
  session.protocol.handle(pixelsScheme, async (request) => {
    const path = pixelsPath(request.url);
    if (request.method !== "GET" || path === null) {
      return new Response("Not found", { status: 404, headers: crossOrigin });
    }
    try {
      const { headers, body } = await core.pixels(path);
      return new Response(Uint8Array.from(body), { headers: { ...headers, ...crossOrigin } });
    } catch (error) {
      const status = error instanceof CoreError && error.kind === "not-found" ? 404 : 500;
      return new Response(messageOf(error), { status, headers: crossOrigin });
    }
  });
}
