import type { FindingKey, Scheme } from "../findings.ts";
import type { Timestamp } from "./time.ts";

export interface CohortSummary {
  readonly id: number;
  readonly name: string;
  readonly createdAt: Timestamp;
  readonly framePixels: number;
  readonly pixelPipeline: string;
  readonly positiveAtGrade: number;
  /** The set of labels, chosen when the cohort was created. */
  readonly scheme: Scheme;
  readonly patients: number;
  readonly images: number;
  readonly included: number;
  readonly setAside: number;
  readonly quarantined: number;
  readonly labelled: number;
  readonly runs: number;
}

export type SplitPart = "train" | "validation" | "test";

export interface CountByValue {
  readonly value: string;
  readonly images: number;
  readonly patients: number;
}

export interface SubgroupCounts {
  readonly name: string;
  readonly values: readonly CountByValue[];
}

/** The distributions that the cohort screen and `silhouette cohort` show. */
export interface CohortOverview {
  readonly summary: CohortSummary;
  readonly byStatus: readonly CountByValue[];
  readonly bySex: readonly CountByValue[];
  readonly byAge: readonly CountByValue[];
  readonly byViewPosition: readonly CountByValue[];
  readonly byComorbidity: readonly CountByValue[];
  /** Free subgroups, in the order of their names: a table's column and its values. */
  readonly bySubgroup: readonly SubgroupCounts[];
  readonly byImagesPerPatient: readonly CountByValue[];
  readonly labels: readonly {
    readonly finding: FindingKey;
    readonly positive: number;
    readonly negative: number;
    readonly missing: number;
    /** Images at each grade 0 to 4. */
    readonly grades: readonly number[];
  }[];
  readonly split: SplitSummary | null;
}

export interface SplitSummary {
  readonly id: number;
  readonly createdAt: Timestamp;
  readonly locked: boolean;
  readonly fractions: {
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
  readonly parts: readonly {
    readonly part: SplitPart;
    readonly patients: number;
    readonly images: number;
    readonly positives: Readonly<Record<FindingKey, number>>;
  }[];
}

export interface ImportResult {
  readonly found: number;
  readonly imported: number;
  readonly duplicates: number;
  /** Imported but not used for training (lateral films and the like); part of `imported`. */
  readonly setAside: number;
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
  /** Files in the folders that are plainly no films (tables, texts): not counted as found. */
  readonly passedOver: number;
  readonly seconds: number;
  readonly cancelled: boolean;
}

export interface LabelImportResult {
  readonly rows: number;
  readonly matched: number;
  /** Where the labels say that they came from: table, data set, and what uncertain counted as. */
  readonly source: string;
  /** Films of the cohort that no row names, and the first of their paths. */
  readonly filmsWithoutRow: { readonly count: number; readonly first: readonly string[] };
  readonly unmatched: readonly { readonly row: number; readonly reason: string }[];
  /** Rows whose values could not be read, with the column and what was expected. */
  readonly invalid: readonly { readonly row: number; readonly reason: string }[];
}
