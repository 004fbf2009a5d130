import { ownScheme } from "../../../shared/own-labels.ts";
import { pixelPipelineOf } from "../../dicom/pipeline.ts";
import { cohortOverviewSoon, splitSummary } from "../../store/cohort-overview.ts";
import { cohortSummary, createCohort, listCohorts, renameCohort } from "../../store/cohorts.ts";
import {
  attributeSources,
  cohortOfImage,
  imageDetails,
  imageRow,
  imageRowsSoon,
  setImageStatus,
} from "../../store/image-table.ts";
import { sourcePathOfImage } from "../../store/images.ts";
import { quarantinePage } from "../../store/quarantine.ts";
import { createSplit, createSplitByFolds } from "../../store/splits.ts";
import type { CoreContext } from "../context.ts";
import type { Handlers } from "./types.ts";

type CohortProcedures =
  | "cohort:list"
  | "cohort:create"
  | "cohort:rename"
  | "cohort:overview"
  | "cohort:images"
  | "cohort:image"
  | "cohort:set-status"
  | "cohort:split"
  | "cohort:quarantine";

export function cohortHandlers(context: CoreContext): Handlers<CohortProcedures> {
  const { database } = context;
  return {
    "cohort:list": () => listCohorts(database),
    "cohort:create": ({ frameFit, equalise, ownLabels, ...input }) => {
      const scheme = ownLabels === null ? input.scheme : ownScheme(ownLabels);
      const pixelPipeline = pixelPipelineOf({ fit: frameFit, equalise });
      const cohort = createCohort(database, { ...input, scheme, pixelPipeline });
      context.emit("cohort:changed", { cohortId: cohort.id });
      return cohort;
    },
    "cohort:rename": ({ cohortId, name }) => {
      const cohort = renameCohort(database, cohortId, name);
      context.emit("cohort:changed", { cohortId });
      return cohort;
    },
    "cohort:overview": ({ cohortId }) => cohortOverviewSoon(database, cohortId),
    "cohort:images": (query) => imageRowsSoon(database, query),
    "cohort:image": ({ imageId }) => ({
      ...imageRow(database, imageId),
      ...imageDetails(database, imageId),
      ...attributeSources(database, imageId),
      path: sourcePathOfImage(database, context.identity, imageId),
    }),
    "cohort:set-status": ({ imageId, status, reason }) => {
      const row = setImageStatus(database, imageId, status, reason ?? "set aside by hand");
      context.emit("cohort:changed", { cohortId: cohortOfImage(database, imageId) });
      return row;
    },
    "cohort:split": ({ cohortId, byFolds, ...fractions }) => {
      cohortSummary(database, cohortId);
      if (byFolds) createSplitByFolds(database, cohortId);
      else createSplit(database, cohortId, fractions);
      const summary = splitSummary(database, cohortId);
      if (summary === null) throw new Error("the split was not stored");
      context.emit("cohort:changed", { cohortId });
      return summary;
    },
    "cohort:quarantine": ({ cohortId }) =>
      quarantinePage(database, context.identity, { cohortId, code: null }),
  };
}
