import type { z } from "zod";
import type {
  EventName,
  Events,
  InputOf,
  OutputOf,
  Procedure,
  ShellContract,
  ShellProcedure,
} from "../../shared/contract.ts";
import { messageOf } from "../../shared/errors.ts";
import type { shellEvents, CoreNotice, MenuCommand } from "../../shared/messages.ts";

/** What the preload script puts on the window: the contract and nothing else. */
export interface Bridge {
  call(procedure: string, input: unknown): Promise<unknown>;
  on(event: string, listener: (payload: unknown) => void): () => void;
  pathsOf(files: File[]): string[];
}

declare global {
  interface Window {
    readonly silhouette: Bridge;
  }
}

export interface ShellEvents {
  [shellEvents.coreRestarted]: CoreNotice;
  [shellEvents.coreFailed]: CoreNotice;
  [shellEvents.menu]: { readonly command: MenuCommand };
}

/** Why a call failed, in words for the person at the window. */
export interface Failure {
  readonly message: string;
  /** A `UserErrorKind` where the person can act on it, else `internal`. */
  readonly kind: string;
}

export type AnyProcedure = Procedure | ShellProcedure;
export type AnyInput<P extends AnyProcedure> = P extends Procedure
  ? InputOf<P>
  : P extends ShellProcedure
    ? z.input<ShellContract[P]["input"]>
    : never;
export type AnyOutput<P extends AnyProcedure> = P extends Procedure
  ? OutputOf<P>
  : P extends ShellProcedure
    ? z.output<ShellContract[P]["output"]>
    : never;

/**
 * Calls a procedure of the core or the shell. Rejects with whatever the other side threw; turn it
 * into words with `failureOf`.
 */
export async function call<P extends AnyProcedure>(
  procedure: P,
  input: AnyInput<P>,
): Promise<AnyOutput<P>> {
  // Reactive state is made of proxies, which do not pass between the two worlds of a window.
  const plain: unknown = JSON.parse(JSON.stringify(input));
  return (await window.silhouette.call(procedure, plain)) as AnyOutput<P>;
}

/** Listens to an event stream; returns the function that stops listening. */
export function on<E extends EventName>(
  event: E,
  listener: (payload: Events[E]) => void,
): () => void;
export function on<E extends keyof ShellEvents>(
  event: E,
  listener: (payload: ShellEvents[E]) => void,
): () => void;
export function on(event: string, listener: (payload: never) => void): () => void {
  return window.silhouette.on(event, listener as (payload: unknown) => void);
}

export function pathsOf(files: readonly File[]): string[] {
  return window.silhouette.pathsOf([...files]);
}

export function failureOf(thrown: unknown): Failure {
  const kind =
    typeof thrown === "object" && thrown !== null && "kind" in thrown
      ? String(thrown.kind)
      : "internal";
  return { message: messageOf(thrown), kind };
}
