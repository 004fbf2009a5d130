/**
 * What the person or the caller can do about an error. The kind decides the exit code of the
 * command line and the tone of the message on screen.
 */
export const userErrorKinds = [
  /** The input is wrong: another file, value or name is needed. */
  "input",
  /** The thing named does not exist. */
  "not-found",
  /** The present state forbids it (a locked split, a run that is under way). */
  "conflict",
  /** The machine lacks something: disk space, memory, a driver, permission. */
  "resource",
] as const;
export type UserErrorKind = (typeof userErrorKinds)[number];

/**
 * An error that a person can act on. The message says what happened, to which file or run, and
 * what to do; it never contains a patient's identity.
 */
export class UserError extends Error {
  readonly kind: UserErrorKind;

  constructor(kind: UserErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
    this.kind = kind;
  }
}

/** The message of anything thrown, also of the plain objects that some libraries throw. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === "string") return thrown;
  if (typeof thrown === "object" && thrown !== null) {
    const record = thrown as Record<string, unknown>;
    for (const key of ["message", "exception", "error"]) {
      const value = record[key];
      if (typeof value === "string") return value;
    }
  }
  return String(thrown);
}
