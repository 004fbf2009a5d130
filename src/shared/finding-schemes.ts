/**
 * The sets of labels that a cohort can have, as data. The order of the keys is the order of a
 * network's outputs; it never changes once a set has shipped, since runs name their set.
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
  chexpert: {
    title: "CheXpert and MIMIC-CXR: 14 observations",
    hint: "All that the CheXpert labeller names, in its order. A film without a finding can still have support devices.",
    keys: [
      "no_finding",
      "enlarged_cardiomediastinum",
      "cardiomegaly",
      "lung_opacity",
      "lung_lesion",
      "edema",
      "consolidation",
      "pneumonia",
      "atelectasis",
      "pneumothorax",
      "pleural_effusion",
      "pleural_other",
      "fracture",
      "support_devices",
    ],
  },
  nih: {
    title: "NIH ChestX-ray14: 14 findings",
    hint: "The data set's findings. Its “No Finding” only says that none of them is listed, so it is no label of its own.",
    keys: [
      "atelectasis",
      "cardiomegaly",
      "pleural_effusion",
      "infiltration",
      "mass",
      "nodule",
      "pneumonia",
      "pneumothorax",
      "consolidation",
      "edema",
      "emphysema",
      "fibrosis",
      "pleural_thickening",
      "hernia",
    ],
  },
  vindr: {
    title: "VinDr-CXR: 28 labels",
    hint: "The 22 local findings and six global labels of the data set. Many are rare: labels with too few positives are counted, not computed.",
    keys: [
      "aortic_enlargement",
      "atelectasis",
      "calcification",
      "cardiomegaly",
      "clavicle_fracture",
      "consolidation",
      "edema",
      "emphysema",
      "enlarged_pulmonary_artery",
      "interstitial_lung_disease",
      "infiltration",
      "lung_opacity",
      "lung_cavity",
      "lung_cyst",
      "mediastinal_shift",
      "nodule_or_mass",
      "pleural_effusion",
      "pleural_thickening",
      "pneumothorax",
      "fibrosis",
      "rib_fracture",
      "other_lesion",
      "copd",
      "lung_tumor",
      "pneumonia",
      "tuberculosis",
      "other_diseases",
      "no_finding",
    ],
  },
  padchest: {
    title: "PadChest: 18 frequent findings",
    hint: "A choice of the data set's 174 findings, without sides. “Normal” stands for no finding.",
    keys: [
      "no_finding",
      "copd",
      "cardiomegaly",
      "aortic_elongation",
      "scoliosis",
      "pleural_effusion",
      "costophrenic_angle_blunting",
      "atelectasis",
      "pneumonia",
      "infiltration",
      "consolidation",
      "interstitial_pattern",
      "nodule",
      "pleural_thickening",
      "air_trapping",
      "emphysema",
      "edema",
      "pneumothorax",
    ],
  },
} as const;

export type SchemeName = keyof typeof findingSchemes;
export const schemeNames = [
  "sided",
  "unsided",
  "chexpert",
  "nih",
  "vindr",
  "padchest",
] as const satisfies readonly SchemeName[];

/** What a film without a finding may still have. */
export const besideNoFinding: readonly string[] = ["support_devices"];

/** Whether a set is the study's findings, with their sides or without: only these are graded. */
export function hasStudyLabels(scheme: SchemeName): boolean {
  return scheme === "sided" || scheme === "unsided";
}
