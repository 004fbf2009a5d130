import type { AsideCode, ImageStatus, ReviewFlag } from "../../shared/domain.ts";
import type { ReadFilm } from "../dicom/read-film.ts";

export interface Placement {
  readonly status: ImageStatus;
  /** The rule that set the film aside; null where it is included. */
  readonly asideCode: AsideCode | null;
  readonly reason: string | null;
  /** As stated, or as found out from descriptions; null where nothing tells. */
  readonly viewPosition: string | null;
}

const frontalViews = new Set(["PA", "AP"]);
const lateralViews = new Set(["LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT"]);

/** Body parts that a reason may repeat; other text in the attribute stays where it is. */
const bodyParts = new Set(
  (
    "ABDOMEN ANKLE ARM BREAST CLAVICLE CSPINE ELBOW FEMUR FINGER FOOT HAND HEAD HIP HUMERUS JAW " +
    "KNEE LEG LSPINE NECK PELVIS RIB RIBS SCAPULA SHOULDER SKULL SPINE STERNUM TSPINE WRIST"
  ).split(" "),
);

/**
 * Decides whether a film takes part in training: frontal chest films for presentation do. The
 * others stay in the cohort, set aside with their reason, and can be taken back.
 */
export function placeFilm(read: Pick<ReadFilm, "film" | "pixels" | "uniform">): Placement {
  const { film, pixels } = read;
  const view = viewOf(film);
  const aside = (asideCode: AsideCode, reason: string): Placement => ({
    status: "set-aside",
    asideCode,
    reason,
    viewPosition: view.position,
  });
  if (film.presentationIntent === "FOR PROCESSING") {
    return aside(
      "for-processing",
      "Raw detector data (for processing), not an image for presentation.",
    );
  }
  if (film.bodyPart !== null && !/CHEST|THORAX|LUNG/.test(film.bodyPart)) {
    const known = bodyParts.has(film.bodyPart) ? film.bodyPart.toLowerCase() : "another one";
    return aside("body-part", `Not a chest film: the body part is ${known}.`);
  }
  const useless = nonDiagnostic(read);
  if (useless !== null) return aside("non-diagnostic", useless);
  if (/\b(reject(ed)?|repeat(ed)?|retake|wiederholung|verworfen)\b/.test(film.viewHints)) {
    return aside("repeated", "Its description calls it a rejected or repeated exposure.");
  }
  if (view.side === "lateral") return aside("lateral", "A lateral film.");
  if (view.side === "other") return aside("view", "Neither a frontal nor a lateral film.");
  if (pixels.samplesPerPixel !== 1) {
    return aside("colour", "A colour image, so no original film.");
  }
  if (pixels.numberOfFrames > 1) {
    return aside(
      "frames",
      `A file of ${pixels.numberOfFrames} frames, of which the first was taken.`,
    );
  }
  const remarks = [
    view.side === null ? "The file states no view; taken as frontal." : "",
    film.burnedInAnnotation === true ? "The file declares text burned into the image." : "",
  ].filter((remark) => remark !== "");
  return {
    status: "included",
    asideCode: null,
    reason: remarks.length === 0 ? null : remarks.join(" "),
    viewPosition: view.position,
  };
}

/** Neither side of a film that can be read is shorter. */
const shortestSidePixels = 32;

/** Why an image can show no chest, whatever its header says; null where it may. */
function nonDiagnostic({
  film,
  pixels,
  uniform,
}: Pick<ReadFilm, "film" | "pixels" | "uniform">): string | null {
  if (film.qualityControl) return "A test of the system, not a patient's film.";
  if (film.imageType.includes("LOCALIZER")) return "A localizer, not a diagnostic film.";
  if (Math.min(pixels.rows, pixels.columns) < shortestSidePixels) {
    return `Too small to be read: ${pixels.columns} x ${pixels.rows} pixels.`;
  }
  return uniform ? "Blank: one value everywhere." : null;
}

/**
 * Why a person should look for text that names the patient. Where a file says nothing, the absence
 * of text is not assumed: such films are unreviewed, but stand in the queue only if something
 * speaks for text.
 */
export function reviewFlagOf({
  film,
  lettering,
}: Pick<ReadFilm, "film" | "lettering">): ReviewFlag | null {
  if (film.burnedInAnnotation === true) return "declared";
  const captured =
    film.modality === "SC" || (film.sopClassUid ?? "").startsWith("1.2.840.10008.5.1.4.1.1.7");
  if (captured) return "secondary-capture";
  return lettering.length > 0 ? "lettering" : null;
}

interface View {
  readonly side: "frontal" | "lateral" | "other" | null;
  readonly position: string | null;
}

/** View position, else the descriptions, else the patient's orientation along the rows. */
function viewOf({ viewPosition, viewHints, patientOrientation }: ReadFilm["film"]): View {
  if (viewPosition !== null) {
    if (frontalViews.has(viewPosition)) return { side: "frontal", position: viewPosition };
    if (lateralViews.has(viewPosition)) return { side: "lateral", position: "LL" };
    const known = /^[A-Z]{2,4}$/.test(viewPosition);
    if (known) return { side: "other", position: viewPosition };
  }
  const lateral = /\b(lateral|lat|seitlich|profil)\b/.test(viewHints);
  const pa = /\b(pa|p\.a\.|postero-?anterior)\b/.test(viewHints);
  const ap = /\b(ap|a\.p\.|antero-?posterior)\b/.test(viewHints);
  const frontal = pa || ap || /\bfrontal\b/.test(viewHints);
  // A series called "chest PA and lateral" tells nothing about one film.
  if (frontal !== lateral) {
    if (lateral) return { side: "lateral", position: "LL" };
    return { side: "frontal", position: pa === ap ? null : pa ? "PA" : "AP" };
  }
  const row = patientOrientation[0]?.[0];
  if (row === "L" || row === "R") return { side: "frontal", position: null };
  if (row === "A" || row === "P") return { side: "lateral", position: "LL" };
  return { side: null, position: null };
}
