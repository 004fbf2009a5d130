import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { PrivacyQuote } from "../../shared/domain.ts";
import { UserError, userErrorKinds } from "../../shared/errors.ts";
import type { ErrorDescription } from "../../shared/messages.ts";
import { keepFigure, knownFigure, type FigureQuestion } from "../privacy/figures.ts";
import type { QuoteQuestion } from "./quote-figures.ts";

/** What the accounting worker is asked. */
export type AccountTask =
  | { readonly kind: "quote"; readonly question: QuoteQuestion }
  | { readonly kind: "figures"; readonly questions: readonly FigureQuestion[] };

export type AccountAnswer =
  | { readonly kind: "quote"; readonly figures: PrivacyQuote }
  | { readonly kind: "figures"; readonly epsilons: readonly number[] }
  | { readonly kind: "failed"; readonly error: ErrorDescription };

interface Waiting {
  readonly resolve: (answer: AccountAnswer) => void;
  readonly reject: (reason: Error) => void;
}

let worker: Worker | null = null;
let lastId = 0;
const waiting = new Map<number, Waiting>();
const inBackground = new Set<string>();

/**
 * The figures of a quote, computed in the accounting worker.
 *
 * @throws UserError as `figuresOfQuote`
 */
export async function askAccountant(task: {
  readonly kind: "quote";
  readonly question: QuoteQuestion;
}): Promise<PrivacyQuote> {
  const answer = await send(task);
  if (answer.kind !== "quote") throw new Error("The accounting worker answered something else.");
  return answer.figures;
}

/** Has these figures computed in the worker and kept, so that asking for them is at no cost. */
export async function prepareFigures(questions: readonly FigureQuestion[]): Promise<void> {
  const unknown = questions.filter((question) => knownFigure(question) === undefined);
  if (unknown.length === 0) return;
  const answer = await send({ kind: "figures", questions: unknown });
  if (answer.kind !== "figures") throw new Error("The accounting worker answered something else.");
  unknown.forEach((question, index) => {
    const epsilon = answer.epsilons[index];
    if (epsilon !== undefined) keepFigure(question, epsilon);
  });
}

/** The same without waiting; a question that is being worked on already is not asked again. */
export function askInBackground(questions: readonly FigureQuestion[]): void {
  for (const question of questions) {
    const key = JSON.stringify(question);
    if (inBackground.has(key) || knownFigure(question) !== undefined) continue;
    inBackground.add(key);
    void prepareFigures([question])
      // The display goes on with its looser bound; the next to ask sees the failure.
      .catch(() => undefined)
      .finally(() => inBackground.delete(key));
  }
}

async function send(task: AccountTask): Promise<AccountAnswer> {
  const answer = await new Promise<AccountAnswer>((resolve, reject) => {
    worker ??= startWorker();
    lastId += 1;
    waiting.set(lastId, { resolve, reject });
    // A question that waits keeps the process alive, an idle worker does not.
    worker.ref();
    worker.postMessage({ id: lastId, task });
  });
  if (answer.kind === "failed") throw errorOf(answer.error);
  return answer;
}

function startWorker(): Worker {
  // Its output streams are left alone: read, they would keep an idle process alive.
  const started = new Worker(workerEntry());
  started.on("message", ({ id, answer }: { id: number; answer: AccountAnswer }) => {
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
    if (waiting.size === 0) started.unref();
  });
  const gone = (cause: unknown): void => {
    if (worker === started) worker = null;
    const reason = new Error("The accounting worker broke down.", { cause });
    for (const one of waiting.values()) one.reject(reason);
    waiting.clear();
  };
  started.on("error", gone);
  started.on("exit", (code) => {
    if (code !== 0) gone(code);
    else if (worker === started) worker = null;
  });
  return started;
}

function errorOf(error: ErrorDescription): Error {
  const kind = userErrorKinds.find((known) => known === error.kind);
  return kind === undefined ? new Error(error.message) : new UserError(kind, error.message);
}

/** In a build the worker is a file beside the running module; in the sources it is TypeScript. */
function workerEntry(): URL {
  const here = import.meta.url;
  const candidates = here.endsWith(".ts")
    ? ["./account-worker.ts"]
    : ["./account-worker.js", "../account-worker.js"];
  for (const candidate of candidates) {
    const url = new URL(candidate, here);
    if (existsSync(fileURLToPath(url))) return url;
  }
  throw new Error("The accounting worker's program is missing from this installation.");
}
