import { z } from "zod";

/**
 * One procedure of the contract: the schema of its input and, by `returns`, the type of its output.
 * The core validates each input against its schema before it acts.
 */
export function procedure<Input extends z.ZodType>(input: Input) {
  return { returns: <Output>() => ({ input, output: z.custom<Output>() }) };
}

export const cohortId = z.int().positive();
export const imageId = z.int().positive();
export const runId = z.string().min(1);
export const nothing = z.object({});
