/** The assembled pixel kernel in base64. */
export function assembleKernel(): Promise<string>;
