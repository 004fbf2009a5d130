import { clampGrade, FINDING_LABELS } from "./findings.ts";
import type { FindingLabel, Findings, Grade } from "./findings.ts";
import { normalQuantile, randomStream } from "./random.ts";
import type { RandomStream } from "./random.ts";

export type PhantomStyle = "a" | "b";
export type ViewPosition = "PA" | "AP" | "LL";

/** What stays with a patient: the body's measures in centimetres and the seeds of its details. */
export interface Body {
  /** Inner half width of the rib cage at its widest. */
  cageHalfWidth: number;
  /** From the apex of the lung to the right dome at full inspiration. */
  lungHeight: number;
  /** Soft tissue outside the ribs. */
  wallThickness: number;
  /** Front-to-back thickness of the chest. */
  chestDepth: number;
  /** 1 for a young adult, lower with osteopenia. */
  boneDensity: number;
  ribHalfWidth: number;
  /** How far a rib's front end lies below its back end, relative to the mean. */
  ribSlope: number;
  /** 0 slim aortic knob, 1 elongated and tortuous aorta. */
  aorticTortuosity: number;
  /** Cardiothoracic ratio without disease. */
  cardiothoracicRatio: number;
  /** 0 in men. */
  breastSize: number;
  spineCurve: number;
  clavicleTilt: number;
  gastricBubble: number;
  /** A pacemaker's generator and leads. */
  pacemaker: boolean;
}

export interface PhantomPatient {
  index: number;
  patientId: string;
  sex: "F" | "M";
  /** YYYYMMDD */
  birthDate: string;
  comorbidityCount: number;
  body: Body;
  images: PhantomImage[];
}

export interface PhantomImage {
  studyIndex: number;
  imageIndex: number;
  /** YYYYMMDD */
  studyDate: string;
  /** HHMMSS */
  studyTime: string;
  ageYears: number;
  viewPosition: ViewPosition;
  /** What the image shows. */
  findings: Findings;
  /** What labels.csv says: the findings as a slightly fallible reader grades them. */
  labels: Findings;
}

/** Probability of at least grade 1, 2, 3 and 4. */
const PREVALENCE: Record<FindingLabel, readonly [number, number, number, number]> = {
  cardiomegaly: [0.48, 0.32, 0.16, 0.05],
  congestion: [0.38, 0.25, 0.12, 0.04],
  pleural_effusion_right: [0.36, 0.25, 0.13, 0.045],
  pleural_effusion_left: [0.33, 0.22, 0.11, 0.04],
  pneumonic_infiltration_right: [0.3, 0.22, 0.11, 0.035],
  pneumonic_infiltration_left: [0.26, 0.18, 0.09, 0.03],
  atelectasis_right: [0.33, 0.21, 0.09, 0.03],
  atelectasis_left: [0.34, 0.22, 0.1, 0.03],
};

/** Mean and standard deviation of each latent, measured on 40,000 patients. */
const LATENT_SCALE: Record<FindingLabel, readonly [number, number]> = {
  cardiomegaly: [-0.01, 1.017],
  congestion: [-0.007, 0.982],
  pleural_effusion_right: [-0.01, 0.933],
  pleural_effusion_left: [-0.01, 0.934],
  pneumonic_infiltration_right: [-0.004, 0.945],
  pneumonic_infiltration_left: [-0.004, 0.952],
  atelectasis_right: [-0.013, 0.942],
  atelectasis_left: [-0.008, 0.943],
};

/** Share of a reader's grades that are one off. */
const READER_NOISE = 0.03;

/** One patient with all images, drawn without rendering anything. */
export function samplePatient(seed: number, index: number, style: PhantomStyle): PhantomPatient {
  const random = randomStream("phantom", style, seed, index, "patient");
  const sex = random.chance(0.46) ? "F" : "M";
  const firstAge = Math.min(95, Math.max(18, 61 + 17 * random.normal()));
  const ageZ = (firstAge - 61) / 17;
  const comorbidityCount = Math.min(6, poisson(random, Math.exp(0.05 + 0.5 * ageZ)));
  const body = sampleBody(randomStream("phantom", style, seed, index, "body"), sex, firstAge);
  const firstDay = Date.UTC(2012, 0, 1) / 86_400_000 + Math.floor(random.uniform() * 3650);
  const birthDay = Math.floor(firstDay - firstAge * 365.25);
  const frontalImages = 1 + random.weighted([0.5, 0.25, 0.13, 0.08, 0.04]);

  const latents = latentProcess(random, ageZ, (comorbidityCount - 1.2) / 1.3);
  const reader = randomStream("phantom", style, seed, index, "reader");
  const images: PhantomImage[] = [];
  let day = firstDay;
  for (let study = 0; study < frontalImages && images.length < 5; study++) {
    if (study > 0) day += Math.max(1, Math.round(Math.exp(3.2 + 1.5 * random.normal())));
    const findings = gradesOf(latents.next());
    const ageYears = Math.floor((day - birthDay) / 365.25);
    const frailty =
      0.04 +
      0.1 * Math.max(0, ageZ) +
      (findings.congestion >= 3 || findings.pleural_effusion_right >= 3 ? 0.12 : 0);
    const frontal: ViewPosition = random.chance(frailty) ? "AP" : "PA";
    const views: ViewPosition[] =
      frontal === "PA" && images.length < 4 && random.chance(0.12) ? ["PA", "LL"] : [frontal];
    const hour = 7 + Math.floor(random.uniform() * 12);
    const minute = Math.floor(random.uniform() * 60);
    for (const viewPosition of views) {
      images.push({
        studyIndex: study,
        imageIndex: images.length,
        studyDate: dateOf(day),
        studyTime: `${two(hour)}${two(minute)}00`,
        ageYears,
        viewPosition,
        findings,
        labels: readFindings(reader, findings),
      });
    }
  }
  return {
    index,
    patientId: `PHANTOM-${style === "b" ? "B" : ""}${String(index + 1).padStart(6, "0")}`,
    sex,
    birthDate: dateOf(birthDay),
    comorbidityCount,
    body,
    images,
  };
}

function sampleBody(random: RandomStream, sex: "F" | "M", ageYears: number): Body {
  const female = sex === "F";
  const aged = Math.min(1, Math.max(0, (ageYears - 35) / 50));
  const size = random.normal();
  const fat = random.normal();
  const hyperinflation = random.chance(0.08 + 0.2 * aged) ? random.between(0.4, 1.6) : 0;
  return {
    cageHalfWidth: (female ? 12.6 : 13.9) + 0.65 * size + 0.3 * random.normal(),
    lungHeight: (female ? 21.5 : 23.5) + 0.9 * size + 0.7 * random.normal() + hyperinflation,
    wallThickness: Math.max(1.2, 2.3 + 0.8 * fat),
    chestDepth: (female ? 19.5 : 21.5) + 1.3 * fat + 0.5 * size + hyperinflation,
    boneDensity: Math.max(0.45, 1.05 - (female ? 0.42 : 0.28) * aged + 0.07 * random.normal()),
    ribHalfWidth: (female ? 0.56 : 0.64) + 0.04 * random.normal(),
    ribSlope: 1 + 0.1 * random.normal() - 0.1 * (hyperinflation > 0 ? 1 : 0),
    aorticTortuosity: Math.min(1, Math.max(0, 0.85 * aged + 0.15 * random.normal())),
    cardiothoracicRatio: Math.min(
      0.49,
      0.432 + 0.03 * aged + (female ? 0.008 : 0) + 0.018 * random.normal() - 0.015 * hyperinflation,
    ),
    breastSize: female
      ? Math.min(1.35, Math.max(0.25, 0.8 + 0.25 * random.normal() + 0.15 * fat))
      : 0,
    spineCurve: random.normal() * (0.15 + 0.5 * aged),
    clavicleTilt: random.normal(),
    gastricBubble: random.uniform(),
    pacemaker: random.chance(0.07 * aged),
  };
}

/** Correlated severities that drift from study to study: the heart slowly, an infection fast. */
function latentProcess(random: RandomStream, ageZ: number, comorbidityZ: number) {
  const heart = 0.4 * ageZ + 0.35 * comorbidityZ + 0.8 * random.normal();
  const noise = Array.from({ length: 10 }, () => random.normal());
  let started = false;
  const at = (index: number): number => noise[index] ?? 0;
  return {
    next(): Record<FindingLabel, number> {
      if (started) {
        for (let index = 0; index < noise.length; index++) {
          const memory = index === 0 ? 0.985 : 0.86;
          noise[index] = memory * at(index) + Math.sqrt(1 - memory * memory) * random.normal();
        }
      }
      started = true;
      const cardiomegaly = 0.85 * heart + 0.55 * at(0);
      const congestion = 0.6 * heart + 0.15 * comorbidityZ + 0.7 * at(1);
      const fluid = 0.5 * congestion + 0.25 * ageZ + 0.15 * comorbidityZ + 0.6 * at(2);
      const effusionRight = 0.75 * fluid + 0.62 * at(3);
      const effusionLeft = 0.75 * fluid + 0.62 * at(4);
      const infection = 0.25 * ageZ + 0.3 * comorbidityZ + 0.9 * at(5);
      const infiltrationRight = 0.5 * infection + 0.8 * at(6);
      const infiltrationLeft = 0.5 * infection + 0.8 * at(7);
      return {
        cardiomegaly,
        congestion,
        pleural_effusion_right: effusionRight,
        pleural_effusion_left: effusionLeft,
        pneumonic_infiltration_right: infiltrationRight,
        pneumonic_infiltration_left: infiltrationLeft,
        atelectasis_right:
          0.45 * effusionRight + 0.2 * ageZ + 0.15 * infiltrationRight + 0.75 * at(8),
        atelectasis_left: 0.45 * effusionLeft + 0.2 * ageZ + 0.15 * infiltrationLeft + 0.75 * at(9),
      };
    },
  };
}

function gradesOf(latents: Record<FindingLabel, number>): Findings {
  return mapLabels((label) => {
    const [mean, deviation] = LATENT_SCALE[label];
    const standardised = (latents[label] - mean) / deviation;
    let grade = 0;
    for (const probability of PREVALENCE[label]) {
      if (standardised > normalQuantile(1 - probability)) grade++;
    }
    return clampGrade(grade);
  });
}

function readFindings(reader: RandomStream, findings: Findings): Findings {
  return mapLabels((label) => {
    const truth = findings[label];
    if (!reader.chance(READER_NOISE)) return truth;
    const up = reader.chance(0.5);
    if (truth === 0) return 1;
    return truth === 4 ? 3 : clampGrade(truth + (up ? 1 : -1));
  });
}

function mapLabels(grade: (label: FindingLabel) => Grade): Findings {
  return Object.fromEntries(FINDING_LABELS.map((label) => [label, grade(label)])) as Findings;
}

function poisson(random: RandomStream, mean: number): number {
  const limit = Math.exp(-mean);
  let product = random.uniform();
  let count = 0;
  while (product > limit) {
    product *= random.uniform();
    count++;
  }
  return count;
}

function dateOf(dayNumber: number): string {
  return new Date(dayNumber * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
