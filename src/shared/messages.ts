import { messageOf } from "./errors.ts";

/**
 * What the shell and the core say to each other. The same messages travel over a utility process's
 * port and over the channel of a plain Node child; both clone structures, so typed arrays arrive as
 * typed arrays.
 *
 * The envelope is untyped on purpose: the contract gives each procedure its schema, and the core
 * validates every input against it.
 */

/** A procedure's input, to be answered by a result or an error with the same id. */
export interface CallMessage {
  readonly kind: "call";
  readonly id: number;
  /** `area:verb`, as in the contract. */
  readonly procedure: string;
  readonly input: unknown;
}

/** Asks for the bytes behind an address of the `pixels:` protocol. */
export interface PixelsMessage {
  readonly kind: "pixels";
  readonly id: number;
  /** The address without its scheme, as in `film/42` or `frame/42`. */
  readonly path: string;
}

/** Asks the core to finish what it is writing, close the store and exit. */
export interface StopMessage {
  readonly kind: "stop";
}

export type ShellToCore = CallMessage | PixelsMessage | StopMessage;

/** The core has opened the store and serves calls. Calls sent before it are answered after it. */
export interface ReadyMessage {
  readonly kind: "ready";
}

/** The core cannot start and will exit; the message is for the person at the window. */
export interface FailedMessage {
  readonly kind: "failed";
  readonly message: string;
}

export interface ResultMessage {
  readonly kind: "result";
  readonly id: number;
  readonly output: unknown;
}

/** What of an error crosses a process boundary. */
export interface ErrorDescription {
  /** The error's class: `UserError` where a person can act on it. */
  readonly name: string;
  /** A `UserErrorKind` for a `UserError`, else `internal`. */
  readonly kind: string;
  readonly message: string;
}

/** Answers a call or a request for pixels that failed. */
export interface ErrorMessage {
  readonly kind: "error";
  readonly id: number;
  readonly error: ErrorDescription;
}

export interface EventMessage {
  readonly kind: "event";
  readonly event: string;
  readonly payload: unknown;
}

export interface PixelsResultMessage {
  readonly kind: "pixels-result";
  readonly id: number;
  /** Response headers for the interface: shape, value range, photometric interpretation. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type CoreToShell =
  ReadyMessage | FailedMessage | ResultMessage | ErrorMessage | EventMessage | PixelsResultMessage;

/** Events of the shell itself; the core knows nothing of them. */
export const shellEvents = {
  /** The core died and a new one serves calls. Payload: `{ message: string }`. */
  coreRestarted: "shell:core-restarted",
  /** The core died and no new one could be started. Payload: `{ message: string }`. */
  coreFailed: "shell:core-failed",
  /** A menu item asks the interface for something. Payload: `{ command: MenuCommand }`. */
  menu: "shell:menu",
} as const;

/** What the menu can ask of the interface. */
export type MenuCommand = "new-cohort" | "open-guide";

/** A restart or failure of the core, in words for the person at the window. */
export interface CoreNotice {
  readonly message: string;
}

/** Describes anything thrown so that it survives the way to another process. */
export function describeError(thrown: unknown): ErrorDescription {
  if (thrown instanceof Error) {
    const kind = "kind" in thrown && typeof thrown.kind === "string" ? thrown.kind : "internal";
    return { name: thrown.name, kind, message: thrown.message };
  }
  return { name: "Error", kind: "internal", message: messageOf(thrown) };
}
