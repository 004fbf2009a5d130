import type { ErrorDescription } from "./messages.ts";

/** The names under which the preload script and the shell speak. */
export const channels = {
  call: "silhouette:call",
  event: "silhouette:event",
} as const;

/** The answer to a call. An error travels as data: Electron keeps only the message of a thrown one. */
export type Answer =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: ErrorDescription };
