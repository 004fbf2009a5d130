import description from "../../../package.json" with { type: "json" };

/** The version of the program, as in its package description. */
export const version: string = description.version;
