import type { ScoredImage } from "../../../src/shared/comparison.ts";
import { keysOf } from "../../../src/shared/findings.ts";
import type { TrainingPlan } from "../../../src/shared/plan.ts";
import type { Sex } from "../../../src/shared/subgroups.ts";
import { seededGenerator } from "../../../src/main/evaluation/random.ts";

/** Uniform on (0, 1) and standard normal numbers from a seed. */
export function numbers(seed: number): { uniform: () => number; normal: () => number } {
  const next = seededGenerator(seed);
  const uniform = (): number => (next() + 0.5) / 4294967296;
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

export interface SimulationOptions {
  readonly patients: number;
  readonly seed: number;
  /** Distance between the means of positives and negatives of the two runs, in deviations. */
  readonly privateSeparation: number;
  readonly referenceSeparation: number;
  readonly imagesPerPatient?: number;
}

const wards = ["emergency", "intensive care", "outpatient", "outpatient"];
const prevalences = [0.42, 0.1, 0.16, 0.14, 0.12, 0.1, 0.15, 0.13];

/**
 * Scores of two runs on the same images, drawn from a binormal model: patients differ, images of a
 * patient resemble each other, findings come with age, and both runs err on the same images more
 * often than by chance.
 */
export function simulateScores(options: SimulationOptions): {
  privateScores: ScoredImage[];
  referenceScores: ScoredImage[];
} {
  const { uniform, normal } = numbers(options.seed);
  const privateScores: ScoredImage[] = [];
  const referenceScores: ScoredImage[] = [];
  let imageId = 0;
  for (let patientId = 1; patientId <= options.patients; patientId += 1) {
    const sex: Sex | null = uniform() < 0.01 ? null : uniform() < 0.44 ? "F" : "M";
    const ageYears = Math.round(Math.min(98, Math.max(18, 66 + 15 * normal())));
    const part = uniform() < 1 / 3 ? ("validation" as const) : ("test" as const);
    const mean = options.imagesPerPatient ?? 2;
    const images = 1 + Math.floor(uniform() * (2 * mean - 1));
    const tendency = keysOf("sided").map(() => normal());
    const effect = keysOf("sided").map(() => normal() * 0.5);
    for (let image = 0; image < images; image += 1) {
      imageId += 1;
      const truth = keysOf("sided").map((_, label): 0 | 1 | null => {
        if (uniform() < 0.01) return null;
        const shift = (ageYears - 66) / 60;
        const z = 0.8 * (tendency[label] ?? 0) + 0.6 * normal() + shift;
        return z > quantileOfNormal(1 - (prevalences[label] ?? 0.1)) ? 1 : 0;
      });
      const shared = keysOf("sided").map((_, label) => (effect[label] ?? 0) + 0.6 * normal());
      const scoresOf = (separation: number): number[] =>
        truth.map((value, label) => {
          const z = (value === 1 ? separation : 0) + (shared[label] ?? 0) + 0.62 * normal();
          return 1 / (1 + Math.exp(-(1.6 * z - 2.2)));
        });
      const common = {
        imageId,
        patientId,
        sex,
        ageYears,
        // From the numbers at hand, so that the draws stay what they are.
        comorbidityCount: patientId % 11 === 0 ? null : patientId % 5,
        subgroups: patientId % 13 === 0 ? {} : { ward: wards[patientId % 4] ?? "" },
        part,
        truth,
      };
      privateScores.push({ ...common, scores: scoresOf(options.privateSeparation) });
      referenceScores.push({ ...common, scores: scoresOf(options.referenceSeparation) });
    }
  }
  return { privateScores, referenceScores };
}

/** Inverse of the standard normal distribution (Acklam's rational approximation, central part). */
function quantileOfNormal(p: number): number {
  const q = p - 0.5;
  const r = q * q;
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972];
  const numerator = ((((a[0] ?? 0) * r + (a[1] ?? 0)) * r + (a[2] ?? 0)) * r + (a[3] ?? 0)) * r * r;
  const top = (numerator + -30.66479806614716 * r + 2.506628277459239) * q;
  const bottom =
    (((((b[0] ?? 0) * r + (b[1] ?? 0)) * r + (b[2] ?? 0)) * r + (b[3] ?? 0)) * r +
      -13.28068155288572) *
      r +
    1;
  return top / bottom;
}

/** A plan as the trainer would freeze it; the numbers are those of a private run at epsilon 7.89. */
export function examplePlan(kind: "private" | "reference"): TrainingPlan {
  return {
    version: 1,
    recipe: {
      network: "resnet9",
      resolutionPixels: 256,
      expectedBatch: 128,
      epochs: 30,
      learningRate: 0.0005,
      warmupSteps: 0,
      clipping: { kind: "flat", norm: 1.5 },
      averagingDecay: 0.999,
      viewsPerUnit: 1,
      unit: "patient",
      noise: "gaussian",
      augmentation: false,
      mirror: false,
      classWeights: "none",
      optimiser: "nadam",
      momentum: 0.9,
      weightDecay: 0,
      schedule: "constant",
      engine: "auto",
      initialWeights: null,
    },
    units: 6400,
    samplingRate: 0.02,
    divisor: 128,
    steps: 1500,
    privacy:
      kind === "reference"
        ? null
        : {
            targetEpsilon: 8,
            delta: 1e-5,
            noiseMultiplier: 0.842,
            epsilon: 7.89,
            accountant: "rdp",
            neighbouring: "add-or-remove-one-unit",
          },
    positiveAtGrade: 2,
    pixelPipeline: "silhouette-1",
  };
}
