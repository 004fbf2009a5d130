import type { RunProgress, RunSummary, TelemetryPoint } from "../../shared/domain.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import { liveEpsilon } from "./spending.ts";
import type { StepOutcome } from "./step.ts";

/** Rows that a run's curve has at most; more would not show on a screen. */
const curvePoints = 600;

/** What is known of a run while it is under way. */
export interface ProgressMeter {
  phase: string;
  /** Takes note of a finished step. @returns a point for the stored curve, when one is due. */
  readonly noteStep: (step: number, outcome: StepOutcome) => TelemetryPoint | null;
  readonly progress: (run: RunSummary) => RunProgress;
}

/**
 * Follows a run: the rate over the last steps, the time left, and a curve of at most 600 points,
 * each the mean over the steps since the one before. A run that goes on starts with the steps and
 * the contributions left out that its curve ended with.
 */
export function createProgressMeter(
  plan: TrainingPlan,
  stepsBefore: number,
  leftOutBefore = 0,
): ProgressMeter {
  const stride = Math.max(1, Math.ceil(plan.steps / curvePoints));
  const recent: number[] = [];
  let step = stepsBefore;
  let latest: TelemetryPoint | null = null;
  let leftOut = leftOutBefore;
  let pending: StepOutcome[] = [];

  const rate = (): number | null => {
    const [first] = recent;
    const last = recent.at(-1);
    if (first === undefined || last === undefined || last <= first) return null;
    return (1000 * (recent.length - 1)) / (last - first);
  };
  return {
    phase: "Starting",
    noteStep: (number, outcome) => {
      step = number;
      recent.push(performance.now());
      if (recent.length > 30) recent.shift();
      pending.push(outcome);
      leftOut += outcome.nonFinite;
      if (number % stride !== 0 && number !== plan.steps) return null;
      const loss = mean(pending.map((one) => one.loss));
      const clippedShare = mean(pending.map((one) => one.clippedShare));
      pending = [];
      // Only empty batches since the last point: nothing to show.
      if (loss === null) return null;
      latest = { step: number, loss, clippedShare, epsilon: liveEpsilon(plan, number), leftOut };
      return latest;
    },
    progress(run) {
      const stepsPerSecond = run.state === "running" ? rate() : null;
      return {
        run,
        phase: this.phase,
        step,
        steps: plan.steps,
        stepsPerSecond,
        secondsLeft: stepsPerSecond === null ? null : (plan.steps - step) / stepsPerSecond,
        latest,
        leftOut,
      };
    },
  };
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
