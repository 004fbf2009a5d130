import type { OwnScheme, Scheme, SchemeName } from "../../shared/findings.ts";
import type { Database } from "./database.ts";

/** What holds a cohort's set of labels: its name, or its own findings as JSON. */
export const storedSchemeColumn = "coalesce(cohort.own_findings, cohort.scheme)";

export function storedScheme(text: string): Scheme {
  return text.startsWith("[")
    ? { findings: JSON.parse(text) as OwnScheme["findings"] }
    : (text as SchemeName);
}

/** The columns "scheme" and "own_findings" of a new cohort. */
export function schemeToStore(scheme: Scheme): readonly [name: string, own: string | null] {
  return typeof scheme === "string" ? [scheme, null] : ["own", JSON.stringify(scheme.findings)];
}

/** The set of labels of a cohort. */
export function schemeOfCohort(database: Database, cohortId: number): Scheme {
  return schemeWhere(database, "WHERE cohort.id = ?", cohortId);
}

/** The set of labels of the cohort that a split divides. */
export function schemeOfSplit(database: Database, splitId: number): Scheme {
  const from = "JOIN split ON split.cohort_id = cohort.id WHERE split.id = ?";
  return schemeWhere(database, from, splitId);
}

/** The set of labels of the cohort that a run is of. */
export function schemeOfRun(database: Database, runId: string): Scheme {
  const from = "JOIN run ON run.cohort_id = cohort.id WHERE run.id = ?";
  return schemeWhere(database, from, runId);
}

function schemeWhere(database: Database, condition: string, id: number | string): Scheme {
  const found = database.prepare(`SELECT ${storedSchemeColumn} FROM cohort ${condition}`);
  return storedScheme(found.pluck().get(id) as string);
}
