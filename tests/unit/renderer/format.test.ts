import { describe, expect, it } from "vitest";
import {
  formatCertainty,
  fileNameOf,
  formatCounted,
  formatDay,
  formatDuration,
  formatEpsilon,
  formatFigure,
  formatPercent,
  formatRate,
  formatShare,
  formatSigned,
  formatSignedInterval,
  formatSmall,
  keepPercents,
  toCsv,
} from "../../../src/renderer/lib/format.ts";

describe("numbers on screen", () => {
  it("keeps a number and its percent sign on one line", () => {
    expect(keepPercents("at most 99.9 % of the time, not 50 %")).toBe(
      "at most 99.9\u00a0% of the time, not 50\u00a0%",
    );
  });

  it("shows delta as a power of ten", () => {
    expect(formatSmall(6e-6)).toBe("6 × 10⁻⁶");
    expect(formatSmall(1.25e-10)).toBe("1.3 × 10⁻¹⁰");
    expect(formatSmall(0.002)).toBe("0.002");
    expect(formatSmall(0)).toBe("0");
  });

  it("keeps significant digits and drops zeros that say nothing", () => {
    expect(formatFigure(0.84123, 4)).toBe("0.8412");
    expect(formatFigure(12, 4)).toBe("12");
    expect(formatFigure(20481.4, 4)).toBe("20,481");
    expect(formatFigure(-0.5)).toBe("−0.5");
    expect(formatFigure(0.00001)).toBe("1 × 10⁻⁵");
  });

  it("puts a sign before differences, and a true minus", () => {
    expect(formatSigned(0.0123)).toBe("+0.012");
    expect(formatSigned(-0.0256)).toBe("−0.026");
    expect(formatSigned(-0.0001)).toBe("0.000");
    expect(formatSignedInterval({ estimate: -0.026, low: -0.041, high: 0.01 })).toBe(
      "−0.026 (−0.041 to +0.010)",
    );
  });

  it("shows a dash where a value is not known", () => {
    expect(formatEpsilon(null)).toBe("–");
    expect(formatDuration(null)).toBe("–");
    expect(formatRate(null, "files")).toBe("–");
    expect(formatPercent(Number.NaN)).toBe("–");
    expect(formatShare(0, 0)).toBe("–");
    expect(formatSignedInterval(null)).toBe("–");
    expect(formatDay(null)).toBe("–");
  });

  it("never shows less epsilon than was spent", () => {
    expect(formatEpsilon(7.891)).toBe("7.90");
    expect(formatEpsilon(Number.POSITIVE_INFINITY)).toBe("∞");
  });

  it("uses the singular for one", () => {
    expect(formatCounted(1, "patient")).toBe("1 patient");
    expect(formatCounted(193311, "patient")).toBe("193,311 patients");
    expect(formatCounted(2, "body part", "body parts")).toBe("2 body parts");
  });

  it("reads dates of DICOM and of ISO alike", () => {
    expect(formatDay("20260314")).toBe("2026-03-14");
    expect(formatDay("2026-03-14T10:00:00Z")).toBe("2026-03-14");
    expect(formatDay("unknown")).toBe("unknown");
  });
});

describe("names and tables", () => {
  it("takes the last part of a path of either kind of system", () => {
    expect(fileNameOf("/data/films/")).toBe("films");
    expect(fileNameOf("D:\\films\\labels.csv")).toBe("labels.csv");
  });

  it("quotes what would break a row of CSV", () => {
    expect(toCsv(["path", "reason"], [['a,"b".dcm', "cut\noff"]])).toBe(
      'path,reason\r\n"a,""b"".dcm","cut\noff"\r\n',
    );
  });
});

describe("an attacker's certainty", () => {
  it("never reads as complete, and never as less than it is", () => {
    expect(formatCertainty(0.75)).toBe("75.0 %");
    expect(formatCertainty(0.8808)).toBe("88.1 %");
    expect(formatCertainty(0.99966)).toBe("99.97 %");
    expect(formatCertainty(0.9999999)).toBe("more than 99.9999 %");
    for (let epsilon = 0.1; epsilon < 13; epsilon += 0.1) {
      const posterior = 1 / (1 + Math.exp(-epsilon));
      const shown = Number(formatCertainty(posterior).replace(" %", ""));
      expect(shown).toBeLessThan(100);
      expect(shown).toBeGreaterThanOrEqual(100 * posterior - 1e-6);
    }
  });
});
