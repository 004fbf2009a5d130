/**
 * What the viewer needs to know about a film's pixels. They follow as 16-bit little-endian values,
 * row by row from the top left: rows x columns of them.
 */
export interface FilmHeader {
  readonly rows: number;
  readonly columns: number;
  /** Whether the 16-bit values are signed. */
  readonly signed: boolean;
  /** Lowest and highest value present, without padding. */
  readonly minimum: number;
  readonly maximum: number;
  /** Modality units are value x slope + intercept; the window is given in them. */
  readonly slope: number;
  readonly intercept: number;
  readonly windowCenter: number;
  readonly windowWidth: number;
  /** Low values are bright: the viewer turns the display over, once. */
  readonly invert: boolean;
  /**
   * "file": the window that the file states. "baked": the file has a VOI LUT or a sigmoid, which
   * is in the values already, over 0 to 65535. "range": the file states none; the window spans
   * the film's own range.
   */
  readonly windowFrom: "file" | "baked" | "range";
  readonly bitsStored: number;
  readonly photometricInterpretation: string;
  /** Millimetres from row to row and column to column; null where the file does not say. */
  readonly pixelSpacingMillimetres: { readonly row: number; readonly column: number } | null;
}
