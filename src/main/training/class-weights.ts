import { UserError } from "../../shared/errors.ts";
import { keysOf } from "../../shared/findings.ts";
import { schemeOf } from "../../shared/plan.ts";
import {
  answersOf,
  classCountsNoiseScale,
  classWeightsFrom,
  countLabels,
  noisyLabelCounts,
  type LabelCounts,
} from "../privacy/class-counts.ts";
import { openRandomStreams } from "../privacy/random.ts";
import {
  classCountsOfRun,
  keepClassCounts,
  type StoredClassCounts,
} from "../store/class-counts.ts";
import type { Database } from "../store/database.ts";
import { ledgerEntryOfRun } from "../store/ledger.ts";
import type { RunRecord } from "../store/runs.ts";
import { appendEntry } from "./ledger-entries.ts";
import { labelCountOf, unitCount, type TrainingSet } from "./training-set.ts";

/** Adds the noise to a run's counts: what tests put another in for. */
export type DrawCounts = (counts: LabelCounts, noiseMultiplier: number) => LabelCounts;

const drawCounts: DrawCounts = (counts, noiseMultiplier) =>
  noisyLabelCounts(counts, noiseMultiplier, openRandomStreams().noise);

/**
 * Enters a run's label counts in the ledger as spent, in the transaction that starts the run and
 * before their noise is drawn. A run that goes on has them already.
 *
 * @throws UserError "conflict" where they are spent and lost: drawn again they would be spent twice
 */
export function spendClassCounts(database: Database, run: RunRecord): void {
  const counts = run.plan.privacy?.classCounts;
  if (counts === undefined) return;
  if (ledgerEntryOfRun(database, run.id, "class-counts") === null) {
    appendEntry(database, { cohortId: run.cohortId, runId: run.id }, "class-counts", {
      noiseMultiplier: counts.noiseMultiplier,
      units: run.plan.units,
      labels: keysOf(schemeOf(run.plan)).length,
    });
  } else if (classCountsOfRun(database, run.id) === null) {
    throw new UserError(
      "conflict",
      `The program ended while the class counts of run ${run.id} were drawn. They are spent, and ` +
        "lost; drawn again they would be spent twice. Start a new run in its place.",
    );
  }
}

/**
 * What the positives of each label weigh in a run's loss, [labels]; null where all labels weigh the
 * same. A private run's follow from its own noisy counts, drawn here at its first start. A reference
 * run has those of its private twin, so that the two differ in clipping and noise alone; without
 * one, or where the twin has drawn none, it has exact ones, as nothing of it is private.
 *
 * @param set the patients (or images) that the run trains on, without canaries
 */
export function classWeightsOf(
  database: Database,
  run: RunRecord,
  set: TrainingSet,
  draw: DrawCounts = drawCounts,
): number[] | null {
  if (run.plan.recipe.classWeights === "none") return null;
  let counts = classCountsOfRun(database, run.id);
  if (counts === null) {
    counts = countsFor(database, run, set, draw);
    keepClassCounts(database, run.id, counts);
  }
  return classWeightsFrom(counts, counts.noiseScale);
}

function countsFor(
  database: Database,
  run: RunRecord,
  set: TrainingSet,
  draw: DrawCounts,
): StoredClassCounts {
  const { privacy } = run.plan;
  const labelCount = labelCountOf(set);
  if (privacy === null) {
    const twin = run.pairId === null ? null : classCountsOfRun(database, run.pairId);
    return twin ?? { ...countLabels(answersOfUnits(set), labelCount), noiseScale: 0 };
  }
  if (privacy.classCounts === undefined) throw new Error("the plan has no noise for class counts");
  if (ledgerEntryOfRun(database, run.id, "class-counts") === null) {
    throw new Error("class counts are drawn only once the ledger has them as spent");
  }
  const { noiseMultiplier } = privacy.classCounts;
  const noisy = draw(countLabels(answersOfUnits(set), labelCount), noiseMultiplier);
  return { ...noisy, noiseScale: classCountsNoiseScale(noiseMultiplier, labelCount) };
}

/** The class weights that a run has trained with; null where it had none. */
export function classWeightsKept(database: Database, runId: string): number[] | null {
  const counts = classCountsOfRun(database, runId);
  return counts === null ? null : classWeightsFrom(counts, counts.noiseScale);
}

/** The answers of each privacy unit, one after the other. */
function* answersOfUnits(set: TrainingSet): Generator<Float64Array> {
  const labelCount = labelCountOf(set);
  for (let unit = 0; unit < unitCount(set); unit += 1) {
    const images = set.unitImages.subarray(set.unitOffsets[unit], set.unitOffsets[unit + 1]);
    yield answersOf(
      Array.from(images, (image) =>
        set.labels.subarray(image * labelCount, (image + 1) * labelCount),
      ),
      labelCount,
    );
  }
}
