/** The eight labels of the study: two findings without a side, three for each side. */
export interface Finding {
  /** Stable key, also the column in labels.csv and the order of a network's outputs. */
  readonly key: FindingKey;
  readonly title: string;
  readonly side: "right" | "left" | null;
}

export const findingKeys = [
  "cardiomegaly",
  "congestion",
  "pleural_effusion_right",
  "pleural_effusion_left",
  "pneumonic_infiltration_right",
  "pneumonic_infiltration_left",
  "atelectasis_right",
  "atelectasis_left",
] as const;

export type FindingKey = (typeof findingKeys)[number];

/** The patient's sides, as everywhere in radiology: the patient's right is on the film's left. */
export const findings: readonly Finding[] = [
  { key: "cardiomegaly", title: "Cardiomegaly", side: null },
  { key: "congestion", title: "Congestion", side: null },
  { key: "pleural_effusion_right", title: "Pleural effusion, right", side: "right" },
  { key: "pleural_effusion_left", title: "Pleural effusion, left", side: "left" },
  { key: "pneumonic_infiltration_right", title: "Pneumonic infiltration, right", side: "right" },
  { key: "pneumonic_infiltration_left", title: "Pneumonic infiltration, left", side: "left" },
  { key: "atelectasis_right", title: "Atelectasis, right", side: "right" },
  { key: "atelectasis_left", title: "Atelectasis, left", side: "left" },
];

/**
 * For each finding the place of the one that a mirrored film shows in its stead: right and left
 * change places, findings without a side stay.
 */
export const mirroredFindings: readonly number[] = findings.map((finding) => {
  if (finding.side === null) return findings.indexOf(finding);
  const other = finding.side === "right" ? "left" : "right";
  const stem = finding.key.slice(0, -finding.side.length);
  return findings.findIndex(({ key }) => key === `${stem}${other}`);
});

/** Grades of a finding. The grade from which it counts as positive is a setting of the cohort. */
export const grades = [0, 1, 2, 3, 4] as const;
export type Grade = (typeof grades)[number];

export const gradeTitles: readonly string[] = ["none", "uncertain", "mild", "moderate", "severe"];

/** Grades by finding; null where the reader gave none. */
export type Grades = Readonly<Record<FindingKey, Grade | null>>;
