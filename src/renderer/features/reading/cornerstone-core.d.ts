/** The part of cornerstone-core 2.6 that the viewer uses; the package brings no types. */
declare module "cornerstone-core" {
  export interface Image {
    readonly imageId: string;
    readonly minPixelValue: number;
    readonly maxPixelValue: number;
    readonly slope: number;
    readonly intercept: number;
    readonly windowCenter: number;
    readonly windowWidth: number;
    readonly getPixelData: () => Uint16Array | Int16Array;
    readonly rows: number;
    readonly columns: number;
    readonly height: number;
    readonly width: number;
    readonly color: boolean;
    readonly rgba: boolean;
    readonly columnPixelSpacing: number;
    readonly rowPixelSpacing: number;
    readonly invert: boolean;
    readonly sizeInBytes: number;
  }
  export interface Viewport {
    scale: number;
    translation: { x: number; y: number };
    voi: { windowWidth: number; windowCenter: number };
    invert: boolean;
    pixelReplication: boolean;
    rotation: number;
    hflip: boolean;
    vflip: boolean;
  }
  interface Cornerstone {
    enable(element: HTMLElement, options?: { renderer: "webgl" }): void;
    disable(element: HTMLElement): void;
    displayImage(element: HTMLElement, image: Image, viewport?: Viewport): void;
    getDefaultViewportForImage(element: HTMLElement, image: Image): Viewport;
    getViewport(element: HTMLElement): Viewport | undefined;
    setViewport(element: HTMLElement, viewport: Viewport): void;
    fitToWindow(element: HTMLElement): void;
    resize(element: HTMLElement, forceFitToWindow: boolean): void;
  }
  const cornerstone: Cornerstone;
  export default cornerstone;
}
