/** What films are labelled with. The patient's sides: the patient's right is on the film's left. */
export interface Finding {
  /** Stable key, also the column in labels.csv. */
  readonly key: FindingKey;
  readonly title: string;
  readonly side: "right" | "left" | null;
}

/** Every finding that any scheme has; a scheme is a choice of them in an order. */
export const findings = [
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
] as const satisfies readonly {
  readonly key: string;
  readonly title: string;
  readonly side: "right" | "left" | null;
}[];

export type FindingKey = (typeof findings)[number]["key"];

type KeysOf<List extends readonly { readonly key: string }[]> = {
  readonly [Place in keyof List]: List[Place]["key"];
};
export const findingKeys = findings.map(({ key }) => key) as unknown as KeysOf<typeof findings>;

/**
 * The sets of labels that a cohort can have. It is chosen when the cohort is created; the order of
 * the keys is the order of a network's outputs.
 */
export const findingSchemes = {
  sided: {
    title: "The study's eight labels, with sides",
    hint: "Cardiomegaly, congestion, and for each side effusion, infiltration and atelectasis. For films read with sides.",
    keys: [
      "cardiomegaly",
      "congestion",
      "pleural_effusion_right",
      "pleural_effusion_left",
      "pneumonic_infiltration_right",
      "pneumonic_infiltration_left",
      "atelectasis_right",
      "atelectasis_left",
    ],
  },
  unsided: {
    title: "Five labels without sides",
    hint: "The study's findings wherever they are. For public sets: CheXpert, MIMIC-CXR, NIH, VinDr and PadChest mostly name no side.",
    keys: [
      "cardiomegaly",
      "congestion",
      "pleural_effusion",
      "pneumonic_infiltration",
      "atelectasis",
    ],
  },
} as const satisfies Record<
  string,
  { readonly title: string; readonly hint: string; readonly keys: readonly FindingKey[] }
>;

export type SchemeName = keyof typeof findingSchemes;
export const schemeNames = ["sided", "unsided"] as const satisfies readonly SchemeName[];

/** The keys of a scheme's labels, in the order of a network's outputs. */
export function keysOf(scheme: SchemeName): readonly FindingKey[] {
  return findingSchemes[scheme].keys;
}

/** The labels of a scheme, in the order of a network's outputs. */
export function findingsOf(scheme: SchemeName): readonly Finding[] {
  return keysOf(scheme).map(findingNamed);
}

export function findingNamed(key: FindingKey): Finding {
  const found = findings.find((finding) => finding.key === key);
  if (found === undefined) throw new Error(`no finding is called ${key}`);
  return found;
}

/** The two sides of a finding that a scheme has without one; null for all others. */
export function sidesOf(key: FindingKey): readonly [right: FindingKey, left: FindingKey] | null {
  const [right, left] = ["right", "left"].map((side) =>
    findings.find((finding) => finding.key === `${key}_${side}`),
  );
  return right === undefined || left === undefined ? null : [right.key, left.key];
}

/**
 * The findings that a table's columns may carry for a cohort with these labels: its own, and for
 * one without sides the two sides too, which are then taken together.
 */
export function mappableFindings(scheme: SchemeName): readonly FindingKey[] {
  return keysOf(scheme).flatMap((key) => [key, ...(sidesOf(key) ?? [])]);
}

/**
 * For each label of a scheme the place of the one that a mirrored film shows in its stead: right
 * and left change places, findings without a side stay.
 */
export function mirroredFindings(scheme: SchemeName): readonly number[] {
  const keys = keysOf(scheme);
  return findingsOf(scheme).map(({ key, side }, place) => {
    if (side === null) return place;
    const other = side === "right" ? "left" : "right";
    const stem = key.slice(0, -side.length);
    return keys.findIndex((candidate) => candidate === `${stem}${other}`);
  });
}

/** Grades of a finding. The grade from which it counts as positive is a setting of the cohort. */
export const grades = [0, 1, 2, 3, 4] as const;
export type Grade = (typeof grades)[number];

export const gradeTitles: readonly string[] = ["none", "uncertain", "mild", "moderate", "severe"];

/** Grades by finding; null where the reader gave none. */
export type Grades = Readonly<Record<FindingKey, Grade | null>>;
