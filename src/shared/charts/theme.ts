/**
 * Colours, shapes and type of the charts. Every colour is explicit, so that a chart looks the same
 * in the window, in a PDF and in a file of its own, whatever style sheet is near.
 */
export interface ChartTheme {
  readonly name: "screen" | "print";
  readonly background: string;
  readonly text: string;
  readonly mutedText: string;
  readonly grid: string;
  readonly frame: string;
  /** Chance level, zero difference and other lines to compare with. */
  readonly guide: string;
  /** The private run: teal, solid, circles. */
  readonly private: string;
  /** The reference run: amber, dashed, diamonds. */
  readonly reference: string;
  /** Bars of distributions: neither of the two runs. */
  readonly neutral: string;
  readonly fontFamily: string;
  readonly fontSizePixels: number;
}

/** For the dark window: both series at least 7:1 against the background. */
export const screenTheme: ChartTheme = {
  name: "screen",
  background: "#0f1419",
  text: "#e6e9ec",
  mutedText: "#a3adb7",
  grid: "#242c34",
  frame: "#46515c",
  guide: "#7d8894",
  private: "#3cc8c0",
  reference: "#f2b04a",
  neutral: "#6f93b5",
  fontFamily: "Inter, system-ui, sans-serif",
  fontSizePixels: 12,
};

/**
 * For white paper: at least 3:1 against the page and well apart in lightness, so that the pair
 * survives a greyscale printer; dash and shape tell it apart as well.
 */
export const printTheme: ChartTheme = {
  name: "print",
  background: "#ffffff",
  text: "#1b1f24",
  mutedText: "#4d5660",
  grid: "#e6e9ec",
  frame: "#9aa4ae",
  guide: "#7a848e",
  private: "#00566b",
  reference: "#c97a10",
  neutral: "#5f7f9c",
  fontFamily: "Inter",
  fontSizePixels: 8,
};

/** Dash of the reference run's lines. */
export const referenceDash = "5 3";
/** Dash of guide lines. */
export const guideDash = "2 3";
