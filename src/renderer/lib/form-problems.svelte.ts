import { getContext, setContext } from "svelte";
import { SvelteSet } from "svelte/reactivity";

/**
 * Which fields of a form hold something that cannot be used. A field keeps the last value that
 * could, so a form must not be sent while one of them shows something else.
 */
export interface FormProblems {
  readonly any: boolean;
  set(field: string, isProblem: boolean): void;
}

const key = Symbol("form problems");

/** Collects the problems of all fields in the components below. Call it during set-up. */
export function collectFormProblems(): FormProblems {
  const fields = new SvelteSet<string>();
  const problems: FormProblems = {
    get any() {
      return fields.size > 0;
    },
    set(field, isProblem) {
      if (isProblem) fields.add(field);
      else fields.delete(field);
    },
  };
  return setContext(key, problems);
}

/**
 * Reports whether a field holds a problem to the form around it, if there is one, and takes the
 * report back when the field goes. Call it during set-up.
 */
export function reportFieldProblem(field: string, isProblem: () => boolean): void {
  const problems = getContext<FormProblems | undefined>(key);
  if (problems === undefined) return;
  $effect(() => {
    problems.set(field, isProblem());
    return () => problems.set(field, false);
  });
}
