import { epsilonOf } from "./accountant.ts";
import { mergeMechanisms, type SubsampledGaussian } from "./mechanism.ts";

/** More figures than a cohort's runs ask for in a session; the oldest go first. */
const mostKept = 4096;
const kept = new Map<string, number>();

/** A question to the accountants: epsilon at delta of everything together. */
export interface FigureQuestion {
  readonly mechanisms: readonly SubsampledGaussian[];
  readonly delta: number;
}

/** Epsilon by the better accountant; a question that was asked before costs nothing. */
export function epsilonFigure(question: FigureQuestion): number {
  const known = knownFigure(question);
  if (known !== undefined) return known;
  const { epsilon } = epsilonOf(question.mechanisms, question.delta);
  keepFigure(question, epsilon);
  return epsilon;
}

/** The same where the answer is at hand; undefined where it would have to be computed. */
export function knownFigure(question: FigureQuestion): number | undefined {
  return kept.get(keyOf(question));
}

/** Keeps an answer that was computed elsewhere. */
export function keepFigure(question: FigureQuestion, epsilon: number): void {
  for (const oldest of kept.keys()) {
    if (kept.size < mostKept) break;
    kept.delete(oldest);
  }
  kept.set(keyOf(question), epsilon);
}

/** The same composition has the same key, whatever the order of its parts. */
function keyOf({ mechanisms, delta }: FigureQuestion): string {
  const parts = mergeMechanisms(mechanisms).map(
    ({ samplingRate, noiseMultiplier, steps, imagesPerPatient = 1 }) =>
      `${samplingRate} ${noiseMultiplier} ${steps} ${imagesPerPatient}`,
  );
  return [delta, ...parts.toSorted()].join("|");
}
