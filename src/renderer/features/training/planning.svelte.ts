import type { PrivacyQuote } from "../../../shared/domain.ts";
import type { Recipe } from "../../../shared/plan.ts";
import { call, failureOf, type Failure } from "../../lib/bridge.ts";
import { createLatest } from "../../lib/latest.ts";

/** The study's largest finite epsilon is 7.89; 8 is the field's usual figure. */
const epsilonAtFirst = 8;

/** What a person is about to train, and what it would cost. */
export interface Planning {
  readonly epsilon: number;
  readonly delta: number | null;
  readonly recipe: Recipe | null;
  /** The newest answer; it may belong to an earlier input while `stale`. */
  readonly quote: PrivacyQuote | null;
  readonly stale: boolean;
  readonly failure: Failure | null;
  begin(cohortId: number, recipe: Recipe, delta: number): void;
  setEpsilon(epsilon: number): void;
  setDelta(delta: number): void;
  setRecipe(recipe: Recipe): void;
  /** Asks again, since something of the cohort has changed. */
  ask(): void;
}

export function createPlanning(): Planning {
  let cohortId: number | null = null;
  let epsilon = $state(epsilonAtFirst);
  let delta = $state<number | null>(null);
  let recipe = $state.raw<Recipe | null>(null);
  let quote = $state.raw<PrivacyQuote | null>(null);
  let stale = $state(false);
  let failure = $state.raw<Failure | null>(null);

  interface Question {
    readonly cohortId: number;
    readonly epsilon: number;
    readonly delta: number | null;
    readonly recipe: Recipe;
  }

  const latest = createLatest(
    (question: Question) => call("privacy:quote", question),
    (answer, isNewest) => {
      quote = answer;
      failure = null;
      stale = !isNewest;
    },
    (thrown, isNewest) => {
      if (!isNewest) return;
      failure = failureOf(thrown);
      quote = null;
      stale = false;
    },
  );

  function ask(): void {
    if (cohortId === null || recipe === null) return;
    stale = true;
    latest.ask({ cohortId, epsilon, delta, recipe });
  }

  return {
    get epsilon() {
      return epsilon;
    },
    get delta() {
      return delta;
    },
    get recipe() {
      return recipe;
    },
    get quote() {
      return quote;
    },
    get stale() {
      return stale;
    },
    get failure() {
      return failure;
    },
    begin(cohort, defaults, proposed) {
      latest.cancel();
      cohortId = cohort;
      recipe = defaults;
      delta = proposed;
      quote = null;
      failure = null;
      ask();
    },
    setEpsilon(value) {
      if (value === epsilon) return;
      epsilon = value;
      ask();
    },
    setDelta(value) {
      delta = value;
      ask();
    },
    setRecipe(value) {
      recipe = value;
      ask();
    },
    ask,
  };
}
