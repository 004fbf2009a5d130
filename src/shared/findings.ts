import { z } from "zod";
import { findingSchemes, schemeNames, type SchemeName } from "./finding-schemes.ts";

export * from "./finding-schemes.ts";

/** What films are labelled with. The patient's sides: the patient's right is on the film's left. */
export const findingSchema = z.object({
  /** Stable key, also the column in labels.csv. */
  key: z.string(),
  title: z.string(),
  side: z.enum(["right", "left"]).nullable(),
});
export type Finding = Readonly<z.infer<typeof findingSchema>>;
export type FindingKey = Finding["key"];

/** A cohort's own set of labels (own-labels.ts), in the order of a network's outputs. */
export const ownSchemeSchema = z.object({ findings: z.array(findingSchema).min(1).readonly() });
export type OwnScheme = Readonly<z.infer<typeof ownSchemeSchema>>;

/** A set of labels: one that has a name, or a cohort's own. */
export const schemeSchema = z.union([z.enum(schemeNames), ownSchemeSchema]);
export type Scheme = SchemeName | OwnScheme;

/** Every finding that any scheme with a name has; such a scheme is a choice of them in an order. */
const known = [
  { key: "cardiomegaly", title: "Cardiomegaly", side: null },
  { key: "congestion", title: "Congestion", side: null },
  { key: "pleural_effusion_right", title: "Pleural effusion, right", side: "right" },
  { key: "pleural_effusion_left", title: "Pleural effusion, left", side: "left" },
  { key: "pneumonic_infiltration_right", title: "Pneumonic infiltration, right", side: "right" },
  { key: "pneumonic_infiltration_left", title: "Pneumonic infiltration, left", side: "left" },
  { key: "atelectasis_right", title: "Atelectasis, right", side: "right" },
  { key: "atelectasis_left", title: "Atelectasis, left", side: "left" },
  { key: "pleural_effusion", title: "Pleural effusion", side: null },
  { key: "pneumonic_infiltration", title: "Pneumonic infiltration", side: null },
  { key: "atelectasis", title: "Atelectasis", side: null },
  { key: "no_finding", title: "No finding", side: null },
  { key: "enlarged_cardiomediastinum", title: "Enlarged cardiomediastinum", side: null },
  { key: "lung_opacity", title: "Lung opacity", side: null },
  { key: "lung_lesion", title: "Lung lesion", side: null },
  { key: "edema", title: "Edema", side: null },
  { key: "consolidation", title: "Consolidation", side: null },
  { key: "pneumonia", title: "Pneumonia", side: null },
  { key: "pneumothorax", title: "Pneumothorax", side: null },
  { key: "pleural_other", title: "Pleural, other", side: null },
  { key: "fracture", title: "Fracture", side: null },
  { key: "support_devices", title: "Support devices", side: null },
  { key: "infiltration", title: "Infiltration", side: null },
  { key: "mass", title: "Mass", side: null },
  { key: "nodule", title: "Nodule", side: null },
  { key: "emphysema", title: "Emphysema", side: null },
  { key: "fibrosis", title: "Fibrosis", side: null },
  { key: "pleural_thickening", title: "Pleural thickening", side: null },
  { key: "hernia", title: "Hernia", side: null },
  { key: "aortic_enlargement", title: "Aortic enlargement", side: null },
  { key: "calcification", title: "Calcification", side: null },
  { key: "clavicle_fracture", title: "Clavicle fracture", side: null },
  { key: "enlarged_pulmonary_artery", title: "Enlarged pulmonary artery", side: null },
  { key: "interstitial_lung_disease", title: "Interstitial lung disease", side: null },
  { key: "lung_cavity", title: "Lung cavity", side: null },
  { key: "lung_cyst", title: "Lung cyst", side: null },
  { key: "mediastinal_shift", title: "Mediastinal shift", side: null },
  { key: "nodule_or_mass", title: "Nodule or mass", side: null },
  { key: "rib_fracture", title: "Rib fracture", side: null },
  { key: "other_lesion", title: "Other lesion", side: null },
  { key: "copd", title: "COPD", side: null },
  { key: "lung_tumor", title: "Lung tumor", side: null },
  { key: "tuberculosis", title: "Tuberculosis", side: null },
  { key: "other_diseases", title: "Other diseases", side: null },
  { key: "aortic_elongation", title: "Aortic elongation", side: null },
  { key: "scoliosis", title: "Scoliosis", side: null },
  { key: "costophrenic_angle_blunting", title: "Costophrenic angle blunting", side: null },
  { key: "interstitial_pattern", title: "Interstitial pattern", side: null },
  { key: "air_trapping", title: "Air trapping", side: null },
] as const satisfies readonly Finding[];

type KeysOf<List extends readonly { readonly key: string }[]> = {
  readonly [Place in keyof List]: List[Place]["key"];
};
export const findingKeys = known.map(({ key }) => key) as unknown as KeysOf<typeof known>;

/** The keys of a scheme's labels, in the order of a network's outputs. */
export function keysOf(scheme: Scheme): readonly FindingKey[] {
  return typeof scheme === "string"
    ? findingSchemes[scheme].keys
    : scheme.findings.map(({ key }) => key);
}

/** The labels of a scheme, in the order of a network's outputs. */
export function findingsOf(scheme: Scheme): readonly Finding[] {
  return typeof scheme === "string" ? keysOf(scheme).map(findingNamed) : scheme.findings;
}

/** A finding that some scheme with a name has. */
export function findingNamed(key: FindingKey): Finding {
  const found = known.find((finding) => finding.key === key);
  if (found === undefined) throw new Error(`no finding is called ${key}`);
  return found;
}

/** What a finding is called in a cohort with these labels, or as one of a side that it has not. */
export function titleIn(scheme: Scheme, key: FindingKey): string {
  const isCalled = (finding: Finding): boolean => finding.key === key;
  return (findingsOf(scheme).find(isCalled) ?? known.find(isCalled))?.title ?? key;
}

/** Whether a set is the study's findings, with their sides or without: only these are graded. */
export function hasStudyLabels(scheme: Scheme): boolean {
  return scheme === "sided" || scheme === "unsided";
}

/** What a set of labels is called. */
export function schemeTitle(scheme: Scheme): string {
  if (typeof scheme === "string") return findingSchemes[scheme].title;
  const count = scheme.findings.length;
  return `${count} ${count === 1 ? "label" : "labels"} of its own`;
}

/** Whether two sets have the same labels in the same order. */
export function isSameScheme(one: Scheme, other: Scheme): boolean {
  return JSON.stringify(findingsOf(one)) === JSON.stringify(findingsOf(other));
}

/** The two sides of a finding that a scheme has without one; null for all others. */
export function sidesOf(key: FindingKey): readonly [right: FindingKey, left: FindingKey] | null {
  const [right, left] = ["right", "left"].map((side) =>
    known.find((finding) => finding.key === `${key}_${side}`),
  );
  return right === undefined || left === undefined ? null : [right.key, left.key];
}

/**
 * The findings that a table's columns may carry for a cohort with these labels: its own, and for
 * those without sides the two sides too, which are then taken together.
 */
export function mappableFindings(scheme: Scheme): readonly FindingKey[] {
  return [...new Set(keysOf(scheme).flatMap((key) => [key, ...(sidesOf(key) ?? [])]))];
}

/**
 * For each label of a scheme the place of the one that a mirrored film shows in its stead: right
 * and left change places, findings without a side stay. -1 for a side whose other is no label: what
 * a mirrored film shows of it is not known.
 */
export function mirroredFindings(scheme: Scheme): readonly number[] {
  const keys = keysOf(scheme);
  return findingsOf(scheme).map(({ key, side }, place) => {
    if (side === null) return place;
    const other = side === "right" ? "left" : "right";
    const stem = key.slice(0, -side.length);
    return keys.indexOf(`${stem}${other}`);
  });
}

/** Grades of a finding. The grade from which it counts as positive is a setting of the cohort. */
export const grades = [0, 1, 2, 3, 4] as const;
export type Grade = (typeof grades)[number];

export const gradeTitles: readonly string[] = ["none", "uncertain", "mild", "moderate", "severe"];
