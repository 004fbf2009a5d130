/** How a film is turned on screen, as cornerstone applies it: flips first, then the rotation. */
export interface Orientation {
  /** Degrees clockwise. */
  readonly rotation: number;
  readonly hflip: boolean;
  readonly vflip: boolean;
}

export type Edge = "left" | "top" | "right" | "bottom";

/** Views on which left and right of the patient lie beside each other. */
const frontalViews: readonly string[] = ["PA", "AP"];

/**
 * The edge of the screen at which the patient's right side lies, or null where the view has no
 * sides or is not known. By convention the patient's right is on the left of an upright film.
 */
export function edgeOfPatientRight(
  viewPosition: string | null,
  { rotation, hflip }: Orientation,
): Edge | null {
  if (viewPosition === null || !frontalViews.includes(viewPosition.toUpperCase())) return null;
  const clockwise: readonly Edge[] = ["left", "top", "right", "bottom"];
  const quarters = Math.round(rotation / 90) + (hflip ? 2 : 0);
  return clockwise[((quarters % 4) + 4) % 4] ?? null;
}

export function oppositeEdge(edge: Edge): Edge {
  return ({ left: "right", right: "left", top: "bottom", bottom: "top" } as const)[edge];
}

/** Whether the film shows as in a mirror: letters on it read backwards, and sides change places. */
export function isMirrored({ hflip, vflip }: Orientation): boolean {
  return hflip !== vflip;
}

/** Turned by a quarter, clockwise or not; the rotation stays within 0 to 270. */
export function turned(rotation: number, clockwise: boolean): number {
  return (((rotation + (clockwise ? 90 : -90)) % 360) + 360) % 360;
}

/**
 * The flips after a flip along the screen's axis. On a film that lies on its side the screen's
 * horizontal is the image's vertical.
 */
export function flipped(
  { rotation, hflip, vflip }: Orientation,
  axis: "horizontal" | "vertical",
): Pick<Orientation, "hflip" | "vflip"> {
  const lies = Math.round(rotation / 90) % 2 !== 0;
  return (axis === "horizontal") !== lies ? { hflip: !hflip, vflip } : { hflip, vflip: !vflip };
}
