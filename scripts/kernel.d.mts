export const kernels: readonly ["dicom", "training"];

/** An assembled kernel in base64; the one of pixels where none is named. */
export function assembleKernel(name?: (typeof kernels)[number]): Promise<string>;
