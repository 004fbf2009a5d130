import { first } from "./0001-first.ts";
import { ledgerKinds } from "./0002-ledger-kinds.ts";
import { audit } from "./0003-audit.ts";
import { preflight } from "./0004-preflight.ts";
import { tables } from "./0005-tables.ts";
import { leftOut } from "./0006-left-out.ts";
import { pause } from "./0007-pause.ts";
import { films } from "./0008-films.ts";
import { filmRevision } from "./0009-film-revision.ts";
import { classCounts } from "./0010-class-counts.ts";
import { subgroups } from "./0011-subgroups.ts";
import { schemes } from "./0012-schemes.ts";
import { filmChanges } from "./0013-film-changes.ts";
import { labelSets } from "./0014-label-sets.ts";
import { subgroupIntervals } from "./0015-subgroup-intervals.ts";
import { ownLabels } from "./0016-own-labels.ts";
import { patientsInCells } from "./0017-patients-in-cells.ts";

/**
 * The schema's migrations in order; the one at index n brings the store to version n + 1. Each
 * is applied once. A migration that has shipped is never edited: a change of mind is a new one.
 */
export const migrations: readonly string[] = [
  first,
  ledgerKinds,
  audit,
  preflight,
  tables,
  leftOut,
  pause,
  films,
  filmRevision,
  classCounts,
  subgroups,
  schemes,
  filmChanges,
  labelSets,
  subgroupIntervals,
  ownLabels,
  patientsInCells,
];
