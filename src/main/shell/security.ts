import { app, type Session } from "electron";
import { interfaceAddress, isAllowedRequest, isInterface } from "./addresses.ts";

/** What Chromium does by itself over a network, and what a page could do without a request. */
export function closeNetwork(developmentServer: string | null): void {
  app.commandLine.appendSwitch("disable-background-networking");
  app.commandLine.appendSwitch("disable-component-update");
  app.commandLine.appendSwitch("disable-domain-reliability");
  app.commandLine.appendSwitch("no-pings");
  app.commandLine.appendSwitch("force-webrtc-ip-handling-policy", "disable_non_proxied_udp");
  if (developmentServer === null) {
    app.commandLine.appendSwitch("host-resolver-rules", "MAP * ~NOTFOUND");
  }
}

/** Denies a session every permission, download, and request that leaves the application. */
export function restrictSession(session: Session, developmentServer: string | null): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.on("will-download", (event) => {
    event.preventDefault();
  });
  session.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !isAllowedRequest(details.url, developmentServer) });
  });
}

/** Denies every page of the application to leave, to open windows and to embed others. */
export function restrictContents(developmentServer: string | null): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
    contents.on("will-attach-webview", (event) => {
      event.preventDefault();
    });
    contents.on("will-frame-navigate", (event) => {
      if (!isInterface(event.url, developmentServer)) event.preventDefault();
    });
    contents.on("will-redirect", (event) => {
      if (!isInterface(event.url, developmentServer)) event.preventDefault();
    });
    // A blank page needs no request, so Chromium goes there without asking: lead it back.
    contents.on("did-navigate", (_navigation, address) => {
      if (isInterface(address, developmentServer)) return;
      void contents.loadURL(developmentServer ?? interfaceAddress);
    });
  });
}
