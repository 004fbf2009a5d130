import { describe, expect, it } from "vitest";
import {
  decimals,
  difference,
  epsilonText,
  estimate,
  percent,
  timeText,
} from "../../../src/main/report/format.ts";

describe("numbers of the report", () => {
  it("give an AUROC with three decimals and its interval with an en dash", () => {
    expect(estimate({ estimate: 0.9124, low: 0.8899, high: 0.9311 })).toBe("0.912 (0.890–0.931)");
    expect(estimate(null)).toBe("–");
  });

  it("give differences with a minus sign and the word to", () => {
    expect(difference({ estimate: -0.0121, low: -0.03, high: 0.006 })).toBe(
      "−0.012 (−0.030 to 0.006)",
    );
  });

  it("have no sign when they round to zero", () => {
    expect(decimals(-0.0001, 3)).toBe("0.000");
  });

  it("never round a probability up to certainty", () => {
    expect(percent(0.99963, 1)).toBe("99.96 %");
    expect(percent(1, 1)).toBe("100.0 %");
    expect(percent(0.5, 1)).toBe("50.0 %");
  });

  it("keep small epsilons apart from zero", () => {
    expect(epsilonText(7.8912)).toBe("7.89");
    expect(epsilonText(0.01234)).toBe("0.0123");
  });

  it("say the time zone", () => {
    expect(timeText("2026-11-24T04:05:06.000Z")).toBe("2026-11-24 04:05 UTC");
  });
});
