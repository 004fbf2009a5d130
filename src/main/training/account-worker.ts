import { parentPort } from "node:worker_threads";
import { describeError } from "../../shared/messages.ts";
import { epsilonFigure } from "../privacy/figures.ts";
import type { AccountAnswer, AccountTask } from "./account-service.ts";
import { figuresOfQuote } from "./quote-figures.ts";

/** The accountants in a thread of their own: one question after the other, in order. */
const port = parentPort;
if (port === null) throw new Error("The accounting worker runs in a worker thread only.");

port.on("message", ({ id, task }: { readonly id: number; readonly task: AccountTask }) => {
  let answer: AccountAnswer;
  try {
    answer =
      task.kind === "quote"
        ? { kind: "quote", figures: figuresOfQuote(task.question) }
        : { kind: "figures", epsilons: task.questions.map((question) => epsilonFigure(question)) };
  } catch (error) {
    answer = { kind: "failed", error: describeError(error) };
  }
  port.postMessage({ id, answer });
});
