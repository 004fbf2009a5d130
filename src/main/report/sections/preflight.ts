import { describeCheck, type Preflight } from "../../../shared/preflight.ts";
import type { Sheet } from "../layout/sheet.ts";
import { drawTable } from "../layout/table.ts";
import { bold, plain } from "../layout/text.ts";

/** What the private run measured on itself before its first step. */
export function writePreflight(sheet: Sheet, preflight: Preflight): void {
  drawTable(sheet, {
    caption:
      "The check before the private run, on its own sampler, noise, engine and network with " +
      "made-up films. A sound run passes each but for a chance of about one in a billion.",
    columns: [
      { title: "Measured", share: 3 },
      { title: "Value", share: 1, align: "right" },
      { title: "Expected", share: 1.6, align: "right" },
    ],
    rows: preflight.checks.map((check) => {
      const { measured, allowed } = describeCheck(check);
      const value = check.passed ? plain(measured) : bold(`${measured} (off)`);
      return { cells: [plain(check.title), value, plain(allowed)] };
    }),
    note: "C is the clipping norm, sigma the noise multiplier; in bold what is off.",
  });
}
