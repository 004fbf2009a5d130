export * from "./description.ts";
export * from "./initialise.ts";
export * from "./networks.ts";
export * from "./safetensors.ts";
export * from "./standardise.ts";
export * from "./validate.ts";
export * from "./weights.ts";
