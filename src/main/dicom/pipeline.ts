import { UserError } from "../../shared/errors.ts";

/** How a film becomes a square frame; chosen with the cohort and never changed. */
export interface FramePreparation {
  /** Keep the film's aspect with black bars, or fill the square. */
  readonly fit: "letterbox" | "stretch";
  /** Global histogram equalisation, as the study did. */
  readonly equalise: boolean;
}

/** Changes whenever the same file would give another training frame. */
const generation = "2";

export const defaultPreparation: FramePreparation = { fit: "letterbox", equalise: false };

/**
 * The name of a pixel pipeline, kept with the cohort and the model, since a model knows only the
 * frames it was trained on: "2", "2+stretch", "2+equalise" or "2+stretch+equalise".
 */
export function pixelPipelineOf({ fit, equalise }: FramePreparation): string {
  return [
    generation,
    ...(fit === "stretch" ? ["stretch"] : []),
    ...(equalise ? ["equalise"] : []),
  ].join("+");
}

/**
 * The preparation behind a name.
 *
 * @throws UserError "conflict" where the name belongs to another version of the program.
 */
export function preparationOf(pixelPipeline: string): FramePreparation {
  for (const fit of ["letterbox", "stretch"] as const) {
    for (const equalise of [false, true]) {
      if (pixelPipelineOf({ fit, equalise }) === pixelPipeline) return { fit, equalise };
    }
  }
  throw new UserError(
    "conflict",
    `These films were prepared by pixel pipeline ${pixelPipeline}; this version of Silhouette has ` +
      `pipeline ${generation}, and frames of two kinds must not be mixed. Make a new cohort, or use ` +
      `the version of Silhouette that made this one.`,
  );
}
