import { formatCounted } from "../../../shared/format.ts";
import type { RowProblem } from "../../../shared/contract.ts";
import { findingNamed, keysOf, type FindingKey } from "../../../shared/findings.ts";
import { cellText, emptyRow, otherView, sexOf } from "../label-row.ts";
import { known, type LabelState, type Preset, type PresetRow, type SidelessKey } from "./preset.ts";

/** The data set's terms (Bustos et al. 2020, Med Image Anal 66:101797, table of findings). */
const terms = {
  cardiomegaly: ["cardiomegaly"],
  congestion: [
    "pulmonary edema",
    "vascular redistribution",
    "central vascular redistribution",
    "hilar congestion",
  ],
  pleural_effusion: ["pleural effusion", "loculated pleural effusion"],
  pneumonic_infiltration: ["pneumonia", "infiltrates", "consolidation", "alveolar pattern"],
  atelectasis: [
    "atelectasis",
    "atelectasis basal",
    "total atelectasis",
    "lobar atelectasis",
    "segmental atelectasis",
    "laminar atelectasis",
    "round atelectasis",
  ],
} as const;

/** The terms of the set of frequent findings; a finding counts with the narrower ones below it. */
const ownTerms: Readonly<Record<FindingKey, readonly string[]>> = {
  no_finding: ["normal"],
  copd: ["copd signs"],
  cardiomegaly: terms.cardiomegaly,
  aortic_elongation: [
    "aortic elongation",
    "descendent aortic elongation",
    "ascendent aortic elongation",
    "supra aortic elongation",
  ],
  scoliosis: ["scoliosis"],
  pleural_effusion: terms.pleural_effusion,
  costophrenic_angle_blunting: ["costophrenic angle blunting"],
  atelectasis: terms.atelectasis,
  pneumonia: ["pneumonia", "atypical pneumonia"],
  infiltration: ["infiltrates"],
  consolidation: ["consolidation"],
  interstitial_pattern: [
    "interstitial pattern",
    "ground glass pattern",
    "reticular interstitial pattern",
    "reticulonodular interstitial pattern",
    "miliary opacities",
  ],
  nodule: ["nodule", "multiple nodules"],
  pleural_thickening: [
    "pleural thickening",
    "apical pleural thickening",
    "calcified pleural thickening",
  ],
  air_trapping: ["air trapping"],
  emphysema: ["emphysema"],
  edema: ["pulmonary edema"],
  pneumothorax: ["pneumothorax", "hydropneumothorax"],
};

/** Labels that say that nothing was labelled. */
const withoutLabels = ["unchanged", "suboptimal study", "exclude"];

/** PadChest: one table of 160,000 films with labels and the places that their reports name. */
export const padchest: Preset = {
  name: "padchest",
  title: "PadChest",
  recognisedBy: ["ImageID", "PatientID", "PatientSex_DICOM", "Projection", "Labels"],
  companions: [],
  meanings: [
    ["ImageID", "Film and file name"],
    ["PatientID", "Patient"],
    ["StudyID", "Study"],
    ["PatientBirth, StudyDate_DICOM", "Age, within a year; the year of birth is not kept"],
    ["PatientSex_DICOM", "Sex"],
    ["Projection", "View"],
  ],
  findingMeanings: [
    ["Labels: cardiomegaly", "Cardiomegaly"],
    ["Labels: pulmonary edema, vascular redistribution, hilar congestion", "Congestion"],
    ["Labels: pleural effusion", "Pleural effusion, on the side that the report names"],
    [
      "Labels: pneumonia, infiltrates, consolidation, alveolar pattern",
      "Pneumonic infiltration, on the side that the report names",
    ],
    ["Labels: atelectasis", "Atelectasis, on the side that the report names"],
    ["LabelsLocalizationsBySentence", "Sides"],
  ],
  own: {
    scheme: "padchest",
    meanings: keysOf("padchest").map((key) => [
      `Labels: ${(ownTerms[key] ?? []).join(", ")}`,
      findingNamed(key).title,
    ]),
  },
  studyNotes: [
    "Pulmonary edema, vascular redistribution and hilar congestion stand for congestion.",
  ],
  imageStandsForPatient: false,
  read({ table }) {
    const rows: PresetRow[] = [];
    const invalid: RowProblem[] = [];
    let inverted = 0;
    table.rows.forEach((cells, index) => {
      const line = index + 2;
      const image = cellText(cells.ImageID);
      const patient = cellText(cells.PatientID);
      if (image === null || patient === null) {
        invalid.push({ row: line, reason: "names no image or patient" });
        return;
      }
      const view = viewOf(cellText(cells.Projection));
      if (cells.PhotometricInterpretation_DICOM === "MONOCHROME1") inverted++;
      rows.push({
        ...emptyRow,
        line,
        image,
        file: image,
        patient,
        study: cellText(cells.StudyID),
        ...view,
        ageYears: ageOf(cellText(cells.PatientBirth), cellText(cells.StudyDate_DICOM)),
        sex: sexOf(cellText(cells.PatientSex_DICOM)),
        grades: {},
        ...readLabels(cellText(cells.Labels), cellText(cells.LabelsLocalizationsBySentence)),
      });
    });
    const notes = [
      "A finding that a row does not list counts as negative. A finding that the report places on " +
        "one side counts as negative on the other.",
      "Two thirds of the labels were given by a program that read the reports (MethodLabel).",
      ...(inverted === 0
        ? []
        : [
            `${formatCounted(inverted, "row comes from a MONOCHROME1 film", "rows come from MONOCHROME1 films")}. The pictures are taken as they are: ` +
              "look at some of them, and set negatives aside.",
          ]),
    ];
    return { rows, invalid, notes };
  },
};

/** PA, L, AP, AP_horizontal and COSTAL; films of no use are marked EXCLUDE, unknown ones UNK. */
function viewOf(projection: string | null): Pick<PresetRow, "viewPosition" | "bodyPart"> {
  const text = projection?.toUpperCase() ?? "";
  if (text === "COSTAL") return { viewPosition: null, bodyPart: "RIB" };
  const view =
    text === "" || text === "UNK"
      ? null
      : text === "L" || text === "LL"
        ? "LL"
        : text === "PA"
          ? "PA"
          : /^AP([_ -]|$)/.test(text)
            ? "AP"
            : otherView;
  return { viewPosition: view, bodyPart: null };
}

function ageOf(birthYear: string | null, studyDate: string | null): number | null {
  const years = Number(studyDate?.slice(0, 4) ?? Number.NaN) - Number(birthYear ?? Number.NaN);
  return years >= 0 && years <= 130 ? years : null;
}

function readLabels(
  labelText: string | null,
  placeText: string | null,
): Pick<PresetRow, "states" | "sideless"> {
  const labels = new Set(quoted(labelText ?? "").map((label) => label.toLowerCase()));
  const nothingSaid = labels.size === 0 || withoutLabels.some((label) => labels.has(label));
  if (nothingSaid) return { states: {}, sideless: {} };
  const places = placesByLabel(placeText ?? "");
  const any = (names: readonly string[]) => names.some((name) => labels.has(name));
  const state = (names: readonly string[]): LabelState => (any(names) ? "positive" : "negative");
  const states: Record<FindingKey, LabelState> = {
    ...Object.fromEntries(keysOf("padchest").map((key) => [key, state(ownTerms[key] ?? [])])),
    cardiomegaly: state(terms.cardiomegaly),
    congestion: state(terms.congestion),
  };
  const sideless: Partial<Record<SidelessKey, LabelState>> = {};
  for (const finding of ["pleural_effusion", "pneumonic_infiltration", "atelectasis"] as const) {
    const names: readonly string[] = terms[finding];
    const sides = any(names) ? sidesOf(names, labels, places) : neither;
    if (sides === null) {
      sideless[finding] = "positive";
      continue;
    }
    states[`${finding}_right`] = sides.right ? "positive" : "negative";
    states[`${finding}_left`] = sides.left ? "positive" : "negative";
  }
  return { states: known<FindingKey>(states), sideless };
}

interface Sides {
  readonly right: boolean;
  readonly left: boolean;
}
const neither: Sides = { right: false, left: false };

/** The sides that the report names for a finding; null where one of its mentions names none. */
function sidesOf(
  names: readonly string[],
  labels: ReadonlySet<string>,
  places: ReadonlyMap<string, readonly string[]>,
): Sides | null {
  let { right, left } = neither;
  for (const name of names.filter((candidate) => labels.has(candidate))) {
    const mentions = places.get(name) ?? [];
    if (mentions.length === 0) return null;
    for (const mention of mentions) {
      const both = /\bbilateral\b/.test(mention);
      const onRight = both || /\bright\b/.test(mention);
      const onLeft = both || /\bleft\b/.test(mention);
      if (!onRight && !onLeft) return null;
      right ||= onRight;
      left ||= onLeft;
    }
  }
  return { right, left };
}

/**
 * The places of each label, one text for each mention: within the brackets of a sentence a label
 * is followed by its places, which begin with "loc".
 */
function placesByLabel(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [, sentence = ""] of text.matchAll(/\[([^[\]]*)\]/g)) {
    let mention: { readonly label: string; places: string } | null = null;
    const close = (): void => {
      if (mention === null) return;
      const mentions = found.get(mention.label) ?? [];
      mentions.push(mention.places);
      found.set(mention.label, mentions);
    };
    for (const term of quoted(sentence)) {
      const lower = term.toLowerCase();
      if (lower.startsWith("loc ")) {
        if (mention !== null) mention.places += ` ${lower.slice(4)}`;
        continue;
      }
      close();
      mention = { label: lower, places: "" };
    }
    close();
  }
  return found;
}

/** The texts of a list as Python prints it. */
function quoted(text: string): string[] {
  return [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map(([, single, double]) =>
    (single ?? double ?? "").trim(),
  );
}
