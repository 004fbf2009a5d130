import { describe, expect, it } from "vitest";
import { askAccountant } from "../../../src/main/training/account-service.ts";
import { planChoices } from "../../../src/main/training/planning.ts";
import { figuresOfQuote } from "../../../src/main/training/quote-figures.ts";
import { quoteQuestion } from "../../../src/main/training/quote.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { carriedOutRun, ledgerPlace } from "../../support/tampered-ledger.ts";

describe("the figures behind the slider", () => {
  it("come from a thread of their own, so that nothing waits while they are computed", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    carriedOutRun(place, 3);
    const choices = { cohortId, recipe: smallRecipe, epsilon: 3, delta: null };
    expect(planChoices(database, choices).epsilon).toBe(3);
    const question = quoteQuestion(database, choices);
    let turns = 0;
    let waiting = true;
    const turn = (): void => {
      turns += 1;
      if (waiting) setImmediate(turn);
    };
    setImmediate(turn);
    const quote = await askAccountant({ kind: "quote", question });
    waiting = false;
    // Computed in this thread, the answer would be there after a turn or two.
    expect(turns).toBeGreaterThan(50);
    expect(quote).toEqual(figuresOfQuote(question));
    expect(quote.epsilon).toBe(Math.min(quote.rdp, quote.pld!));
  });

  it("say what is wrong with a question as they would here", async () => {
    const { database, cohortId } = await ledgerPlace();
    const choices = { cohortId, recipe: smallRecipe, epsilon: -1, delta: null };
    const question = quoteQuestion(database, choices);
    await expect(askAccountant({ kind: "quote", question })).rejects.toThrow(/above 0/);
  });
});
