import { call } from "./bridge.ts";
import { reportFailure } from "./notices.svelte.ts";

/** Asks for a table's file; null where none was chosen, or where it could not be asked, which is said. */
export async function chooseTable(title: string): Promise<string | null> {
  try {
    return await call("shell:choose-file", { title, extensions: ["csv", "tsv", "txt", "gz"] });
  } catch (thrown) {
    reportFailure("The file could not be chosen", thrown);
    return null;
  }
}
