import type { LedgerRun, PatientFigures } from "./domain.ts";
import { formatCount, formatDelta, formatEpsilon, formatNumber } from "./format.ts";
import type { TrainingPlan } from "./plan.ts";

/**
 * Critical: do not publish without dealing with it. Serious: weakens what the figures are taken to
 * say. Theoretical: known in principle, without a practical attack on such a run.
 */
export const severities = ["critical", "serious", "theoretical"] as const;
export type Severity = (typeof severities)[number];

/** One point of what a private run's guarantee covers or does not. */
export interface ChecklistItem {
  readonly severity: Severity;
  /** True where the plan deals with it. */
  readonly covered: boolean;
  readonly title: string;
  readonly text: string;
}

/** What the checklist is computed from: the plan itself and what the ledger knows beside it. */
export interface ChecklistFacts {
  readonly plan: TrainingPlan;
  /** Epsilon of the plan's unit. */
  readonly epsilon: number;
  /** A patient's figures, where the unit is the image. */
  readonly patient: PatientFigures | null;
  /** Patients trained on and held out. */
  readonly patients: NonNullable<LedgerRun["patients"]>;
  /** Private runs of the cohort before this one that spent anything. */
  readonly earlierRuns: number;
  readonly withReference: boolean;
  /** Whether a person ended the run before its plan; the budget cap, a public number, may. */
  readonly endedByHand?: boolean;
  /** Whether figures of membership attacks, computed on the training patients, go along. */
  readonly withAttacks?: boolean;
}

/**
 * What a private run covers and what not, the open points first, each group by severity. The plan
 * on the screen and the report show this same list.
 */
export function privacyChecklist(facts: ChecklistFacts): ChecklistItem[] {
  const items = [
    heldOutPatients(facts),
    facts.withReference ? referenceRun : null,
    privacyUnit(facts),
    delta(facts),
    otherCohorts,
    startingWeights(facts),
    earlierRuns(facts),
    ending(facts),
    epsilonSize(facts),
    publicCounts(facts),
    classWeights(facts),
    augmentation(facts),
    telemetry,
    facts.withAttacks === true ? membershipAttacks : null,
    noiseRounding(facts),
    timing,
  ].filter((item) => item !== null);
  const rank = (item: ChecklistItem): number =>
    severities.indexOf(item.severity) + (item.covered ? severities.length : 0);
  return items.toSorted((one, other) => rank(one) - rank(other));
}

function heldOutPatients({ patients }: ChecklistFacts): ChecklistItem {
  return {
    severity: "critical",
    covered: false,
    title: "Validation and test patients",
    text:
      `The guarantee is for the ${formatCount(patients.trained)} training patients. Thresholds, ` +
      `metrics, curves and tables are exact statistics of ${formatCount(patients.validation)} ` +
      `validation and ${formatCount(patients.test)} test patients, and each is entered in the ` +
      "ledger as a release that is not covered.",
  };
}

const referenceRun: ChecklistItem = {
  severity: "critical",
  covered: false,
  title: "The reference run",
  text:
    "It is trained without clipping and noise and protects nobody. Its weights must stay where " +
    "the data are, and its figures depend on its patients without any noise.",
};

const otherCohorts: ChecklistItem = {
  severity: "critical",
  covered: false,
  title: "The same patients elsewhere",
  text:
    "The ledger covers this cohort. Patients who are also in another cohort or another program " +
    "spend budget there too, and nothing here knows of it.",
};

function privacyUnit({ plan, patient, epsilon }: ChecklistFacts): ChecklistItem {
  if (patient === null) {
    return {
      severity: "critical",
      covered: true,
      title: "All films of a patient",
      text: "The privacy unit is the patient: a patient's films enter a step as one contribution.",
    };
  }
  return {
    severity: "critical",
    covered: false,
    title: "The privacy unit is one image",
    text:
      `Epsilon ${formatEpsilon(epsilon)} hides one image. A patient with ` +
      `${formatCount(patient.mostImages)} images, the most in the training part, is held by ` +
      `epsilon ${formatEpsilon(patient.epsilon)}; one with ${formatCount(patient.medianImages)}, ` +
      `the median, by ${formatEpsilon(patient.medianEpsilon)}. The ledger and its cap count for the ` +
      `patient with the most (${plan.recipe.unit}s were sampled and clipped one by one).`,
  };
}

function delta({ plan, patients }: ChecklistFacts): ChecklistItem | null {
  const { privacy } = plan;
  if (privacy === null) return null;
  const title = "Delta";
  const stated = `Delta is ${formatDelta(privacy.delta)} for ${formatCount(patients.trained)} training patients`;
  if (privacy.delta >= 1 / patients.trained) {
    return {
      severity: "critical",
      covered: false,
      title,
      text:
        `${stated}, not below one in their number: a program that publishes one patient's films ` +
        "at random would satisfy it.",
    };
  }
  if (privacy.delta > 1 / (10 * patients.trained)) {
    return {
      severity: "serious",
      covered: false,
      title,
      text: `${stated}, above the usual 1 in ten times their number.`,
    };
  }
  return {
    severity: "serious",
    covered: true,
    title,
    text: `${stated}: at most 1 in ten times their number.`,
  };
}

function startingWeights({ plan }: ChecklistFacts): ChecklistItem {
  const random = plan.recipe.initialWeights === null;
  return {
    severity: "serious",
    covered: random,
    title: "Weights to start from",
    text: random
      ? "Training starts from random weights, which know nothing of anybody."
      : "Training starts from weights made elsewhere. The guarantee says nothing about the people " +
        "whose films those were trained on; it holds for the whole network only if they were " +
        "public or themselves private.",
  };
}

function earlierRuns({ earlierRuns: earlier }: ChecklistFacts): ChecklistItem {
  return {
    severity: "serious",
    covered: earlier === 0,
    title: "Choices made by looking at results",
    text:
      earlier === 0
        ? "No private run came before this one, so none of its results can have shaped this plan."
        : `${formatCount(earlier)} private ${earlier === 1 ? "run" : "runs"} came before this one. ` +
          "The ledger counts them all together; that somebody chose this plan after looking at " +
          "their results on held-out patients, it does not.",
  };
}

function ending({ endedByHand = false }: ChecklistFacts): ChecklistItem {
  return {
    severity: "serious",
    covered: !endedByHand,
    title: "Early stopping and choice of a checkpoint",
    text: endedByHand
      ? "Somebody ended this run before its plan. Where that was done after looking at its loss, " +
        "which is an exact value of private data, the choice is in no epsilon."
      : "Neither: a run ends with the steps of its plan, or at the budget cap, and its last average " +
        "is what it gives.",
  };
}

function epsilonSize({ epsilon, patient }: ChecklistFacts): ChecklistItem | null {
  const ofPatient = patient?.epsilon ?? epsilon;
  if (ofPatient <= 10) return null;
  return {
    severity: "serious",
    covered: false,
    title: "A large epsilon",
    text:
      `At epsilon ${formatEpsilon(ofPatient)} the guarantee by itself says little about one ` +
      "patient; what an attack really finds can be much less, and no figure here proves it.",
  };
}

function publicCounts({ plan, patient }: ChecklistFacts): ChecklistItem {
  return {
    severity: "serious",
    covered: false,
    title: "Counts that are taken as public",
    text:
      `The number of training ${plan.recipe.unit}s (${formatCount(plan.units)}), which sets the ` +
      "sampling rate and the divisor" +
      (patient === null ? "" : ", and the most images that a patient has") +
      ", and the cohort's counts in the report, where small cells are suppressed.",
  };
}

function classWeights({ plan }: ChecklistFacts): ChecklistItem {
  const counts = plan.privacy?.classCounts;
  return {
    severity: "serious",
    covered: plan.recipe.classWeights === "none" || counts !== undefined,
    title: "Class weights",
    text:
      plan.recipe.classWeights === "none"
        ? "None: every label weighs the same, a public constant. No prevalence enters the training."
        : counts === undefined
          ? "From exact counts of training patients, which no guarantee covers."
          : `From counts of ${plan.recipe.unit}s with each label, with discrete Gaussian noise of ` +
            `${formatNumber(counts.noiseMultiplier, 4)} times what one ${plan.recipe.unit} can change ` +
            "them at most. They have a line of their own in the ledger and are part of epsilon.",
  };
}

function augmentation({ plan }: ChecklistFacts): ChecklistItem {
  return {
    severity: "serious",
    covered: true,
    title: "Augmentation and several views",
    text: plan.recipe.augmentation
      ? "Shifted and turned views of a film enter the same clipped contribution, so they cost nothing."
      : "None is used.",
  };
}

const telemetry: ChecklistItem = {
  severity: "serious",
  covered: true,
  title: "Training telemetry",
  text:
    "Losses and gradient norms are exact values of private data. They stay in the app and are in " +
    "no report and no export.",
};

const membershipAttacks: ChecklistItem = {
  severity: "serious",
  covered: false,
  title: "Membership attacks",
  text:
    "The figures of the attacks are exact statistics of training and held-out patients. The audited " +
    "lower bound is not: it is of canaries, who are nobody.",
};

function noiseRounding({ plan }: ChecklistFacts): ChecklistItem {
  const discrete = plan.recipe.noise === "discrete-gaussian";
  return {
    severity: "theoretical",
    covered: discrete,
    title: "Attacks on the rounding of noise",
    text: discrete
      ? "The noise is a discrete Gaussian on whole numbers, drawn exactly: it has no low-order bits."
      : "The noise is a Gaussian in double precision. Attacks on its low-order bits (Mironov 2012) " +
        "are not ruled out; the discrete Gaussian rules them out.",
  };
}

const timing: ChecklistItem = {
  severity: "theoretical",
  covered: false,
  title: "Timing",
  text:
    "How long a step takes depends on how many were sampled. Only somebody at this machine can " +
    "measure it.",
};
