import type { FilmHeader } from "../../../shared/film.ts";

/** A linear window in modality units. */
export interface DisplayWindow {
  readonly windowCenter: number;
  readonly windowWidth: number;
}

export interface WindowPreset {
  readonly key: string;
  readonly title: string;
  readonly window: DisplayWindow;
}

type WindowHeader = Pick<
  FilmHeader,
  | "minimum"
  | "maximum"
  | "slope"
  | "intercept"
  | "windowCenter"
  | "windowWidth"
  | "windowFrom"
  | "invert"
>;

/**
 * The presets on the digit keys. Radiographs have no units of their own, so all but the whole range
 * are relative to the window that the film comes with. Lungs are dark on the screen: low values, or
 * high ones where the film is inverted.
 */
export function windowPresets(header: WindowHeader): readonly WindowPreset[] {
  const ends = [header.minimum, header.maximum].map(
    (value) => value * header.slope + header.intercept,
  );
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const { windowCenter, windowWidth } = header;
  const darker = header.invert ? 1 : -1;
  const relative = (shift: number, width: number): DisplayWindow => ({
    windowCenter: windowCenter + shift * windowWidth,
    windowWidth: Math.max(1, width * windowWidth),
  });
  return [
    {
      key: "1",
      title: header.windowFrom === "range" ? "Standard" : "As in the file",
      window: { windowCenter, windowWidth },
    },
    {
      key: "2",
      title: "Whole range",
      window: { windowCenter: (low + high) / 2 + 0.5, windowWidth: Math.max(1, high - low + 1) },
    },
    { key: "3", title: "Lungs", window: relative(darker * 0.15, 0.6) },
    { key: "4", title: "Mediastinum", window: relative(-darker * 0.18, 0.6) },
    { key: "5", title: "High contrast", window: relative(0, 0.5) },
  ];
}

/**
 * The window after a drag: right widens, down brightens as in OHIF by lowering the centre. A drag
 * over the whole pane covers the film's window twice, whatever its units are.
 */
export function draggedWindow(
  window: DisplayWindow,
  drag: { readonly rightPixels: number; readonly downPixels: number },
  reference: { readonly windowWidth: number; readonly panePixels: number },
): DisplayWindow {
  const perPixel = (2 * reference.windowWidth) / Math.max(200, reference.panePixels);
  return {
    windowCenter: window.windowCenter + drag.downPixels * perPixel,
    windowWidth: Math.max(1, window.windowWidth + drag.rightPixels * perPixel),
  };
}

/** The scale after a drag: up magnifies. Between a twentieth and twenty times. */
export function draggedScale(scale: number, downPixels: number): number {
  return Math.min(20, Math.max(0.05, scale * Math.exp(-downPixels / 200)));
}
