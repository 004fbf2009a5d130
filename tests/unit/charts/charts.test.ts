import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  aurocChart,
  barChart,
  epsilonChart,
  fairnessChart,
  intervalChartHeight,
  lossChart,
  printTheme,
  rocChart,
  screenTheme,
  thinCurve,
  tradeOffChart,
  type ChartTheme,
} from "../../../src/shared/charts/index.ts";
import type { TelemetryPoint } from "../../../src/shared/domain.ts";
import { draw, Plot } from "./draw.ts";

const themes = [screenTheme, printTheme];
const sizeIn = (theme: ChartTheme) => ({ theme, widthPixels: 320, heightPixels: 260 });

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

const curve = [
  { falsePositiveRate: 0, truePositiveRate: 0 },
  { falsePositiveRate: 0.1, truePositiveRate: 0.7 },
  { falsePositiveRate: 1, truePositiveRate: 1 },
];
const interval = (estimate: number) => ({ estimate, low: estimate - 0.03, high: estimate + 0.02 });
const telemetry = (count: number): TelemetryPoint[] =>
  Array.from({ length: count }, (_, index) => ({
    step: index + 1,
    loss: 1 / (index + 1),
    clippedShare: 0.5,
    leftOut: 0,
    epsilon: index * 0.01,
  }));

function allCharts(theme: ChartTheme): Element[] {
  const size = sizeIn(theme);
  const rows = [
    { title: "Cardiomegaly", private: interval(0.8), reference: interval(0.9) },
    { title: "Congestion", private: null, reference: null },
  ];
  return [
    rocChart(
      Plot,
      { private: { points: curve, auroc: 0.8 }, reference: { points: curve, auroc: 0.9 } },
      size,
    ),
    aurocChart(Plot, rows, size),
    fairnessChart(Plot, rows, "Accuracy parity difference", size),
    lossChart(Plot, { private: telemetry(50), reference: telemetry(40), steps: 100 }, size),
    epsilonChart(Plot, { points: telemetry(50), steps: 100, plannedEpsilon: 1 }, size),
    tradeOffChart(Plot, curve, size),
    barChart(Plot, [{ title: "Female", value: 10 }], size),
  ].map(draw);
}

describe.each(themes)("the $name theme", (theme) => {
  it("keeps text and both series apart from the background", () => {
    expect(contrast(theme.text, theme.background)).toBeGreaterThan(7);
    expect(contrast(theme.mutedText, theme.background)).toBeGreaterThan(4.5);
    expect(contrast(theme.private, theme.background)).toBeGreaterThan(3);
    expect(contrast(theme.reference, theme.background)).toBeGreaterThan(3);
  });

  it("leaves no mark to the colours of the page around it", () => {
    for (const svg of allCharts(theme)) {
      const marks = [...svg.querySelectorAll("path, line, rect, circle, text")];
      expect(marks.length).toBeGreaterThan(0);
      for (const mark of marks) {
        const own = ["fill", "stroke"].map(
          (name) => mark.closest(`[${name}]:not(svg)`)?.getAttribute(name) ?? "inherited",
        );
        expect(own, mark.outerHTML).not.toContain("currentColor");
        expect(own.some((value) => value.startsWith("#"))).toBe(true);
      }
    }
  });
});

it("keeps the pair apart in greyscale on paper", () => {
  expect(contrast(printTheme.private, printTheme.reference)).toBeGreaterThan(2);
});

describe("rocChart", () => {
  it("draws a curve for each run that has one, with its AUROC to three decimals", () => {
    const both = draw(
      rocChart(
        Plot,
        {
          private: { points: curve, auroc: 0.81249 },
          reference: { points: curve, auroc: 0.9 },
        },
        sizeIn(printTheme),
      ),
    );
    expect(both.textContent).toContain("Private 0.812");
    expect(both.textContent).toContain("Reference 0.900");
    const one = draw(
      rocChart(
        Plot,
        { private: { points: [], auroc: null }, reference: { points: curve, auroc: 0.9 } },
        sizeIn(printTheme),
      ),
    );
    expect(one.textContent).not.toContain("Private");
    expect(one.querySelectorAll(`[stroke="${printTheme.private}"]`)).toHaveLength(0);
  });

  it("places a point of the curve where its rates say", () => {
    const svg = draw(
      rocChart(
        Plot,
        { private: { points: curve, auroc: null }, reference: null },
        sizeIn(printTheme),
      ),
    );
    const group = [...svg.querySelectorAll("[aria-label=line]")].at(0);
    const path = group?.querySelector("path")?.getAttribute("d") ?? "";
    const numbers = (path.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0] = numbers;
    expect((x1 - x0) / (x2 - x0)).toBeCloseTo(0.1, 2);
    expect((y1 - y0) / (y2 - y0)).toBeCloseTo(0.7, 2);
  });
});

describe("interval charts", () => {
  it("keep a row for an undefined estimate but draw nothing in it", () => {
    const svg = draw(
      aurocChart(
        Plot,
        [
          { title: "Cardiomegaly", private: interval(0.8), reference: null },
          { title: "Congestion", private: null, reference: null },
        ],
        sizeIn(printTheme),
      ),
    );
    expect(svg.textContent).toContain("Congestion");
    expect(svg.textContent).not.toContain("Reference");
    const dots = svg.querySelectorAll(`[aria-label=dot][stroke="${printTheme.private}"] > *`);
    expect(dots).toHaveLength(2); // The estimate and its sign in the legend.
  });

  it("always show zero for a difference", () => {
    const svg = draw(
      fairnessChart(
        Plot,
        [{ title: "Female", private: interval(0.2), reference: interval(0.3) }],
        "Difference",
        sizeIn(printTheme),
      ),
    );
    const guides = svg.querySelectorAll(`[stroke="${printTheme.guide}"]`);
    expect(guides.length).toBeGreaterThan(0);
  });

  it("grow with their rows", () => {
    const heights = [1, 4, 8].map((rows) => intervalChartHeight(rows, { theme: printTheme }));
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(new Set(heights).size).toBe(3);
  });
});

describe("barChart", () => {
  it("gives away nothing of a suppressed count, not even by a bar's length", () => {
    const svg = draw(
      barChart(
        Plot,
        [
          { title: "Female", value: 40 },
          { title: "Other", value: null, shown: "fewer than 5" },
        ],
        sizeIn(printTheme),
      ),
    );
    const widths = [...svg.querySelectorAll("rect")].map((bar) =>
      Number(bar.getAttribute("width")),
    );
    expect(widths[0]).toBeGreaterThan(10);
    expect(widths[1]).toBe(0);
    expect(svg.textContent).toContain("fewer than 5");
  });
});

describe("thinCurve", () => {
  const points = fc.array(
    fc.record({
      step: fc.integer({ min: 0, max: 1e6 }),
      value: fc.double({ min: -10, max: 10 }),
    }),
    { maxLength: 500 },
  );

  it("keeps to the limit and to the range of what it averages", () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 60 }), (curvePoints, limit) => {
        const thinned = thinCurve(curvePoints, limit);
        expect(thinned.length).toBeLessThanOrEqual(limit);
        const values = curvePoints.map((point) => point.value).filter(Number.isFinite);
        for (const point of thinned) {
          expect(point.value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
          expect(point.value).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
        }
      }),
    );
  });

  it("leaves a short curve as it is", () => {
    const short = [
      { step: 1, value: 0.5 },
      { step: 2, value: 0.4 },
    ];
    expect(thinCurve(short, 10)).toEqual(short);
  });
});

describe("a row's title", () => {
  const textsOf = (title: string) => {
    const rows = [{ title, private: { estimate: 0.7, low: 0.6, high: 0.8 }, reference: null }];
    const options = aurocChart(Plot, rows, sizeIn(printTheme));
    return { svg: draw(options), margin: options.marginLeft ?? 0 };
  };

  it("stands on one line where it is short, else on several that its margin has room for", () => {
    const short = textsOf("Pleural effusion, right");
    expect(short.svg.outerHTML).toContain("Pleural effusion, right");
    const long = textsOf("Interstitielle Zeichnungsvermehrung, basal betont, beidseits");
    expect(long.svg.outerHTML).not.toContain("Zeichnungsvermehrung, basal");
    for (const part of ["Interstitielle Zeichnungsvermehrung,", "basal betont, beidseits"]) {
      expect(long.svg.outerHTML).toContain(part);
    }
    expect(long.margin).toBeLessThan(38 * printTheme.fontSizePixels * 0.6 + 10);
    // A word that has no end, of the widest letters.
    expect(textsOf("W".repeat(40)).margin).toBeGreaterThan(38 * printTheme.fontSizePixels * 0.95);
  });
});
