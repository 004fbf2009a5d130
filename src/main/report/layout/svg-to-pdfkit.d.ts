declare module "svg-to-pdfkit" {
  export interface Options {
    width?: number;
    height?: number;
    preserveAspectRatio?: string;
    assumePt?: boolean;
    fontCallback?: (family: string, bold: boolean, italic: boolean) => string;
    warningCallback?: (message: string) => void;
  }
  /** Draws an SVG document on the current page with its upper left corner at x, y. */
  export default function SVGtoPDF(
    pdf: PDFKit.PDFDocument,
    svg: string,
    x: number,
    y: number,
    options?: Options,
  ): void;
}
