import { compareRuns, type RunToEvaluate } from "../../../src/main/evaluation/compare.ts";
import { measureAttack } from "../../../src/main/evaluation/membership.ts";
import { seededGenerator } from "../../../src/main/evaluation/random.ts";
import { auditCanaries } from "../../../src/main/privacy/audit.ts";
import { meaningOf } from "../../../src/main/privacy/meaning.ts";
import type { ReportInput } from "../../../src/main/report/report.ts";
import type { AuditResult } from "../../../src/shared/audit.ts";
import type { RunSummary } from "../../../src/shared/domain.ts";
import { keysOf, type FindingKey } from "../../../src/shared/findings.ts";
import { examplePlan, simulateScores } from "../evaluation/simulate.ts";

/** A report's input from simulated scores, evaluated by the real comparison. */
export async function exampleInput(
  options: { patients?: number; name?: string; synthetic?: boolean } = {},
): Promise<ReportInput> {
  const { privateScores, referenceScores } = simulateScores({
    patients: options.patients ?? 900,
    seed: 3,
    privateSeparation: 1.5,
    referenceSeparation: 2,
  });
  const evaluate = (kind: "private" | "reference"): RunToEvaluate => ({
    runId: `${kind === "private" ? "p" : "r"}-2026-11-24-0001`,
    kind,
    plan: examplePlan(kind),
    stepsDone: 1500,
    epsilon: kind === "private" ? 7.8912 : null,
    scored: kind === "private" ? privateScores : referenceScores,
  });
  const comparison = await compareRuns({
    privateRun: evaluate("private"),
    referenceRun: evaluate("reference"),
    bootstrapSamples: 200,
  });
  const run = (kind: "private" | "reference"): RunSummary => ({
    id: `${kind === "private" ? "p" : "r"}-2026-11-24-0001`,
    cohortId: 1,
    kind,
    pairId: `${kind === "private" ? "r" : "p"}-2026-11-24-0001`,
    state: "finished",
    message: null,
    plan: examplePlan(kind),
    engine: "onnxruntime 1.30.0",
    device: "CPU, 2 threads",
    createdAt: "2026-11-24T03:00:00.000Z",
    startedAt: "2026-11-24T03:00:02.000Z",
    endedAt: kind === "private" ? "2026-11-24T03:41:10.000Z" : "2026-11-24T03:38:47.000Z",
    stepsJournaled: 1500,
    epsilonSpent: kind === "private" ? 7.8912 : null,
    scored: true,
  });
  const positives = (share: number): Record<FindingKey, number> => {
    const counts = keysOf("sided").map((key, index): [FindingKey, number] => [
      key,
      Math.round(share * (120 + 37 * index)),
    ]);
    return Object.fromEntries(counts);
  };
  const audits = {
    private: await exampleAudit("private", 0.3),
    reference: await exampleAudit("reference", 1.2),
  };
  return {
    audits,
    overview: {
      summary: {
        id: 1,
        name: options.name ?? "Thorax 2019–2024",
        createdAt: "2026-11-20T08:00:00.000Z",
        framePixels: 256,
        pixelPipeline: "silhouette-1",
        positiveAtGrade: 2,
        scheme: "sided",
        patients: 8000,
        images: 20_412,
        included: 19_877,
        setAside: 511,
        quarantined: 24,
        labelled: 19_877,
        runs: 4,
      },
      byStatus: [],
      bySex: [
        { value: "Female", images: 8211, patients: 3480 },
        { value: "Male", images: 11_597, patients: 4504 },
        { value: "Unknown", images: 69, patients: 16 },
      ],
      byAge: [
        { value: "0–29", images: 301, patients: 122 },
        { value: "30–59", images: 5602, patients: 2301 },
        { value: "60–69", images: 5210, patients: 2087 },
        { value: "70–79", images: 5480, patients: 2177 },
        { value: "80–99", images: 3281, patients: 1310 },
        { value: "Unknown", images: 3, patients: 3 },
      ],
      byViewPosition: [
        { value: "AP", images: 12_040, patients: 5200 },
        { value: "PA", images: 7837, patients: 4022 },
      ],
      byComorbidity: [],
      bySubgroup: [
        {
          name: "ward",
          values: [
            { value: "emergency", images: 12_040, patients: 5200 },
            { value: "outpatient", images: 7837, patients: 4022 },
          ],
        },
      ],
      byImagesPerPatient: [
        { value: "1", images: 3100, patients: 3100 },
        { value: "2", images: 4200, patients: 2100 },
        { value: "3", images: 4500, patients: 1500 },
        { value: "4 or more", images: 8077, patients: 1300 },
      ],
      labels: keysOf("sided").map((finding, index) => ({
        finding,
        positive: 1200 + 370 * index,
        negative: 18_400 - 370 * index,
        missing: 277,
        grades: [15_000, 1200, 900, 600, 300],
      })),
      split: {
        id: 1,
        createdAt: "2026-11-21T10:00:00.000Z",
        locked: true,
        fractions: { train: 0.8, validation: 0.1, test: 0.1 },
        parts: [
          { part: "train", patients: 6400, images: 15_930, positives: positives(8) },
          { part: "validation", patients: 800, images: 1981, positives: positives(1) },
          { part: "test", patients: 800, images: 1966, positives: positives(1) },
        ],
      },
    },
    comparison,
    ledger: {
      cohortId: 1,
      entries: [
        {
          sequence: 1,
          recordedAt: "2026-11-23T09:00:00.000Z",
          kind: "run-planned",
          runId: "p-2026-11-23-0001",
          body: {},
          previousHash: "0".repeat(64),
          hash: "5b1f0c6a".repeat(8),
        },
        {
          sequence: 2,
          recordedAt: "2026-11-24T03:00:00.000Z",
          kind: "run-planned",
          runId: "p-2026-11-24-0001",
          body: {},
          previousHash: "5b1f0c6a".repeat(8),
          hash: "9e07d3b2".repeat(8),
        },
      ],
      runs: [
        {
          runId: "p-2026-11-23-0001",
          unit: "patient",
          samplingRate: 0.02,
          noiseMultiplier: 0.842,
          stepsPlanned: 1500,
          stepsSpent: 212,
          epsilon: 3.1134,
          patient: null,
          patients: { trained: 6400, validation: 800, test: 800 },
          state: "stopped",
        },
        {
          runId: "p-2026-11-24-0001",
          unit: "patient",
          samplingRate: 0.02,
          noiseMultiplier: 0.842,
          stepsPlanned: 1500,
          stepsSpent: 1500,
          epsilon: 7.8912,
          patient: null,
          patients: { trained: 6400, validation: 800, test: 800 },
          state: "finished",
        },
      ],
      delta: 1e-5,
      epsilon: 8.5207,
      medianEpsilon: 8.5207,
      cap: null,
      releases: [
        {
          sequence: 3,
          recordedAt: "2026-11-24T04:00:00.000Z",
          what: "comparison",
          runIds: ["p-2026-11-24-0001", "r-2026-11-24-0001"],
          patients: { training: 0, validation: 800, test: 800 },
        },
      ],
      mechanisms: [
        { samplingRate: 0.02, noiseMultiplier: 0.842, steps: 1712, imagesPerPatient: 1 },
      ],
      verification: { intact: true, canBeAcknowledged: false, gaps: [], findings: [] },
    },
    privateRun: run("private"),
    referenceRun: run("reference"),
    accountants: { rdp: 8.6432, pld: 7.8912 },
    meaning: {
      worstCasePosterior: Math.exp(7.8912) / (1 + Math.exp(7.8912)),
      // The trade-off of a Gaussian mechanism with mu = 1.6, as an example of a curve.
      tradeOff: gaussianTradeOff(1.6),
      sentence: meaningOf(7.8912, 1e-5).sentence,
      patientSentence: null,
    },
    network: { title: "ResNet9 (GroupNorm, Mish)", parameters: 4_903_624 },
    optimiser: "NAdam, second moment corrected for the noise",
    synthetic: options.synthetic ?? false,
    appVersion: "0.1.0",
    generatedAt: "2026-11-24T04:05:06.000Z",
  };
}

/** Best true-positive rate against N(mu, 1) where the null is N(0, 1), traced by the threshold. */
function gaussianTradeOff(mu: number) {
  const upper = (z: number): number => 0.5 * erfc(z / Math.SQRT2);
  return Array.from({ length: 121 }, (_, index) => {
    const threshold = 6 - index * 0.1;
    return {
      falsePositiveRate: upper(threshold),
      truePositiveRate: upper(threshold - mu),
    };
  });
}

/** Complementary error function (Numerical Recipes' rational Chebyshev form, 1.2e-7). */
function erfc(x: number): number {
  const z = Math.abs(x);
  const t = 1 / (1 + 0.5 * z);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ];
  const polynomial = coefficients.reduceRight((sum, c) => c + t * sum, 0);
  const value = t * Math.exp(-z * z + polynomial);
  return x >= 0 ? value : 2 - value;
}

/** The audit of a run whose members score `shift` deviations higher, by the real statistics. */
async function exampleAudit(kind: "private" | "reference", shift: number): Promise<AuditResult> {
  const next = seededGenerator(kind === "private" ? 1 : 2);
  const bell = (): number =>
    Array.from({ length: 12 }, () => next() / 2 ** 32).reduce((sum, value) => sum + value, -6);
  const included = Array.from({ length: 200 }, (_, canary) => canary % 2 === 0);
  const scores = included.map((inside) => bell() + (inside ? 2 * shift : 0));
  const { best, attempts, highestPossible } = auditCanaries(scores, included, 6e-6, 0.95);
  const values = (count: number, mean: number): number[] =>
    Array.from({ length: count }, () => mean + bell());
  return {
    runId: `${kind === "private" ? "p" : "r"}-2026-11-24-0001`,
    kind,
    recordedAt: "2026-11-24T04:00:00.000Z",
    claimedEpsilon: kind === "private" ? 7.8912 : null,
    delta: kind === "private" ? 6e-6 : null,
    canaryAudit: {
      canaries: 200,
      included: 100,
      guesses: best.guesses,
      correct: best.correct,
      lowerBound: best.epsilon,
      confidence: 0.95,
      delta: 6e-6,
      auroc: null,
      attempts,
      highestPossible,
      coinsAsCommitted: true,
    },
    attacks: [
      await measureAttack(
        { members: values(630, shift), nonMembers: values(270, 0) },
        { attack: "loss-threshold", shadowModels: null, samples: 100, seed: 1 },
      ),
    ],
  };
}
