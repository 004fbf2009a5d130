export * from "./ir.ts";
export * from "./layout.ts";
export * from "./step.ts";
