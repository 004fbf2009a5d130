/** The scheme and host of the interface, and the scheme of pixel data. */
export const interfaceScheme = "app";
export const interfaceHost = "silhouette";
export const pixelsScheme = "pixels";

export const interfaceOrigin = `${interfaceScheme}://${interfaceHost}`;
export const interfaceAddress = `${interfaceOrigin}/index.html`;

/**
 * Whether an address belongs to the interface. `developmentServer` is the origin that serves the
 * interface from its sources, null in any built application.
 */
export function isInterface(address: string, developmentServer: string | null): boolean {
  const url = parse(address);
  if (url === null) return false;
  if (url.protocol === `${interfaceScheme}:`) {
    return url.host === interfaceHost && url.username === "" && url.password === "";
  }
  return developmentServer !== null && url.origin === developmentServer;
}

/**
 * Whether the window may load something from an address: the interface, pixels, what the interface
 * made itself, and the developer tools where they can be opened. There is no network.
 */
export function isAllowedRequest(address: string, developmentServer: string | null): boolean {
  if (isInterface(address, developmentServer)) return true;
  const url = parse(address);
  if (url === null) return false;
  if (url.protocol === "blob:") return isInterface(url.pathname, developmentServer);
  if (url.protocol === `${pixelsScheme}:` || url.protocol === "data:") return true;
  if (developmentServer === null) return false;
  // Vite tells of changes over a WebSocket.
  const socket = new URL(developmentServer);
  return url.protocol === "devtools:" || (url.protocol === "ws:" && url.host === socket.host);
}

function parse(address: string): URL | null {
  // URL.parse would do, but the oldest Node that runs the shell lacks it.
  try {
    return new URL(address);
  } catch {
    return null;
  }
}
