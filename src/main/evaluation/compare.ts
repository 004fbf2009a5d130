import type {
  Comparison,
  FairnessResult,
  Interval,
  LabelResult,
  RunEvaluation,
  ScoredImage,
  SubgroupResult,
} from "../../shared/comparison.ts";
import { keysOf, type FindingKey } from "../../shared/findings.ts";
import { schemeOf, type TrainingPlan } from "../../shared/plan.ts";
import { clusteredBootstrap, percentileInterval, sampledColumn } from "./bootstrap.ts";
import { differenceOf } from "./difference.ts";
import { rocCurve, youdenThreshold, type ScoredLabels } from "./roc.ts";
import {
  attributesOf,
  groupOf,
  imageColumnsOf,
  labelColumnsOf,
  partsOf,
  patientsIn,
  requireSameImages,
  type ScoredParts,
} from "./scored-images.ts";
import { planCells, runStatistics, type Attribute, type RunStatistics } from "./statistics.ts";
import { rankLabel } from "./tally.ts";

/** A run with its scores of the held-out patients. */
export interface RunToEvaluate {
  readonly runId: string;
  readonly kind: "private" | "reference";
  readonly plan: TrainingPlan;
  readonly stepsDone: number;
  /** Epsilon of the steps done; null in a reference run. */
  readonly epsilon: number | null;
  readonly scored: readonly ScoredImage[];
}

export interface CompareOptions {
  readonly privateRun: RunToEvaluate | null;
  readonly referenceRun: RunToEvaluate | null;
  readonly bootstrapSamples?: number;
  readonly confidence?: number;
  /** Least positives and least negatives for which a statistic is computed. */
  readonly minimumCell?: number;
  /** The bootstrap's seed: the same input gives the same intervals. */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A run ready for the bootstrap, and its sampled statistics after it. */
export interface PreparedRun {
  readonly run: RunToEvaluate;
  /** The run's labels, in the order of its scores. */
  readonly keys: readonly FindingKey[];
  readonly parts: ScoredParts;
  readonly attributes: readonly Attribute[];
  readonly thresholds: readonly (number | null)[];
  readonly statistics: RunStatistics;
  readonly sampled: Float64Array;
}

/**
 * Evaluates one run or a pair on the test patients. Thresholds are fitted on the validation
 * patients only. Intervals come from a bootstrap over patients, the same samples for both runs;
 * they hold the trained weights and the thresholds fixed. Cells in which fewer patients than the
 * minimum have a finding, or lack it, are counted but not computed; an undefined statistic is null.
 *
 * @throws UserError where scores are missing, not finite, or of different images
 */
export async function compareRuns(options: CompareOptions): Promise<Comparison> {
  const bootstrapSamples = options.bootstrapSamples ?? 1000;
  const confidence = options.confidence ?? 0.95;
  const minimumCell = options.minimumCell ?? 5;
  const runs = [options.privateRun, options.referenceRun].filter((run) => run !== null);
  const prepared = runs.map((run) => prepare(run, minimumCell));
  const [first, second] = prepared;
  if (first && second) {
    requireSameImages(first.parts.validation, second.parts.validation);
    requireSameImages(first.parts.test, second.parts.test);
  }
  const matrices = await clusteredBootstrap(
    first ? patientsIn(first.parts.test) : 0,
    prepared.map((one) => one.statistics),
    {
      samples: first ? bootstrapSamples : 0,
      seed: options.seed ?? 20240314,
      onProgress: options.onProgress,
      signal: options.signal,
    },
  );
  const complete = prepared.map((one, index): PreparedRun => {
    return { ...one, sampled: matrices[index] ?? new Float64Array() };
  });
  const find = (run: RunToEvaluate | null): PreparedRun | null =>
    complete.find((one) => one.run === run) ?? null;
  const privateRun = find(options.privateRun);
  const referenceRun = find(options.referenceRun);
  return {
    privateRun: privateRun && evaluationOf(privateRun, confidence),
    referenceRun: referenceRun && evaluationOf(referenceRun, confidence),
    difference:
      privateRun && referenceRun ? differenceOf(privateRun, referenceRun, confidence) : null,
    bootstrapSamples,
    confidence,
    minimumCell,
  };
}

function prepare(run: RunToEvaluate, minimumCell: number): Omit<PreparedRun, "sampled"> {
  const keys = keysOf(schemeOf(run.plan));
  const parts = partsOf(run.runId, run.scored, keys.length);
  const attributes = attributesOf(parts.test, minimumCell);
  const plan = planCells(attributes);
  const thresholds = keys.map((_, label) => youdenThreshold(labelOf(parts.validation, label)));
  const shared = imageColumnsOf(parts.test, attributes, plan);
  const ranked = keys.map((_, label) =>
    rankLabel(labelColumnsOf(parts.test, label, shared), thresholds[label] ?? null),
  );
  const statistics = runStatistics(ranked, plan, patientsIn(parts.test), minimumCell);
  return { run, keys, parts, attributes, thresholds, statistics };
}

function labelOf(images: readonly ScoredImage[], label: number): ScoredLabels {
  const known = images.filter((image) => image.truth[label] !== null);
  return {
    truth: known.map((image) => image.truth[label] ?? 0),
    scores: known.map((image) => image.scores[label] ?? NaN),
  };
}

function evaluationOf(prepared: PreparedRun, confidence: number): RunEvaluation {
  const { run, keys, parts, attributes, thresholds, statistics, sampled } = prepared;
  const plan = planCells(attributes);
  const intervalAt = (index: number): Interval | null =>
    percentileInterval(
      statistics.estimates[index] ?? NaN,
      sampledColumn(sampled, statistics.size, index),
      confidence,
    );

  const labels = keys.map((finding, label): LabelResult => {
    const large = statistics.isLargeEnough(label, 0);
    const measure = (name: "auroc" | "accuracy" | "sensitivity" | "specificity") =>
      large ? intervalAt(statistics.labelIndex(label, 0, name)) : null;
    return {
      finding,
      ...statistics.counts(label, 0),
      auroc: measure("auroc"),
      threshold: thresholds[label] ?? null,
      accuracy: measure("accuracy"),
      sensitivity: measure("sensitivity"),
      specificity: measure("specificity"),
      roc: large ? rocCurve(labelOf(parts.test, label)) : [],
    };
  });

  const members = plan.groups.map(({ attribute, group }) => {
    const of = attributes[attribute];
    return of === undefined ? [] : parts.test.filter((image) => groupOf(image, of) === group);
  });
  const attributeOf = (index: number): string => attributes[index]?.name ?? "";
  const subgroups = plan.groups.flatMap((group, index) =>
    keys.map((finding, label): SubgroupResult => {
      const images = (members[index] ?? []).filter((image) => image.truth[label] !== null);
      const large = statistics.isLargeEnough(label, group.cell);
      const measure = (name: "auroc" | "accuracy") =>
        large ? intervalAt(statistics.labelIndex(label, group.cell, name)) : null;
      return {
        attribute: attributeOf(group.attribute),
        group: group.group,
        finding,
        patients: patientsIn(images),
        ...statistics.counts(label, group.cell),
        auroc: measure("auroc"),
        accuracy: measure("accuracy"),
      };
    }),
  );
  const fairness = plan.groups.map((group, index): FairnessResult => ({
    attribute: attributeOf(group.attribute),
    group: group.group,
    patients: patientsIn(members[index] ?? []),
    images: members[index]?.length ?? 0,
    labels: statistics.groupLabels(index).length,
    macroAuroc: intervalAt(statistics.groupIndex(index, "macroAuroc")),
    accuracyParityDifference: intervalAt(statistics.groupIndex(index, "accuracyParityDifference")),
    statisticalParityDifference: intervalAt(
      statistics.groupIndex(index, "statisticalParityDifference"),
    ),
    equalOpportunityDifference: intervalAt(
      statistics.groupIndex(index, "equalOpportunityDifference"),
    ),
  }));
  return {
    runId: run.runId,
    kind: run.kind,
    plan: run.plan,
    stepsDone: run.stepsDone,
    epsilon: run.epsilon,
    testPatients: patientsIn(parts.test),
    testImages: parts.test.length,
    validationPatients: patientsIn(parts.validation),
    validationImages: parts.validation.length,
    macroLabels: statistics.macroLabels.flatMap((label) => keys[label] ?? []),
    macroAuroc: intervalAt(statistics.macroIndex),
    labels,
    subgroups,
    fairness,
  };
}
