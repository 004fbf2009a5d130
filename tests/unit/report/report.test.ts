import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeReport, type WrittenReport } from "../../../src/main/report/report.ts";
import type { Interval } from "../../../src/shared/comparison.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { findingsOf } from "../../../src/shared/findings.ts";
import { exampleInput } from "./example.ts";

const folder = mkdtempSync(join(tmpdir(), "silhouette-report-"));
const file = join(folder, "report.pdf");
const hasPoppler = spawnSync("pdftotext", ["-v"]).error === undefined;
const needsPoppler = hasPoppler ? "" : " (skipped: pdftotext is not installed)";

const input = await exampleInput({ name: "Thorax Łódź 2024" });
let written: WrittenReport;
let bytes: Buffer;
let text = "";

beforeAll(async () => {
  written = await writeReport({ ...input, file });
  bytes = readFileSync(file);
  if (hasPoppler) {
    text = execFileSync("pdftotext", ["-layout", file, "-"], { encoding: "utf8" });
  }
}, 120_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const shown = (interval: Interval | null | undefined): string =>
  `${interval?.estimate.toFixed(3) ?? ""} (${interval?.low.toFixed(3) ?? ""}–${interval?.high.toFixed(3) ?? ""})`;

describe("writeReport", () => {
  it("writes a PDF of several pages and says how long it is", () => {
    expect(bytes.subarray(0, 8).toString("latin1")).toBe("%PDF-1.7");
    expect(bytes.subarray(-6).toString("latin1")).toContain("%%EOF");
    expect(written.bytes).toBe(statSync(file).size);
    expect(written.pages).toBeGreaterThanOrEqual(8);
    const pages = bytes.toString("latin1").match(/\/Type \/Page\n/gu) ?? [];
    expect(pages).toHaveLength(written.pages);
  });

  it.skipIf(!hasPoppler)(`sets the claim beside the audited lower bound${needsPoppler}`, () => {
    const flat = text.replace(/\s+/gu, " ");
    const audit = input.audits!.private!;
    const { lowerBound, correct, guesses } = audit.canaryAudit!;
    expect(flat).toContain(`Audited lower bound: ${lowerBound.toFixed(2)} at 95 % confidence`);
    expect(flat).toContain(`of ${guesses} of them, ${correct} rightly`);
    expect(flat).toContain("are not covered by ε");
    const { estimate, low, high } = audit.attacks[0]!.auroc!;
    const figure = `${estimate.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
    expect(flat.replace(/\s/gu, "")).toContain(figure.replace(/\s/gu, ""));
  });

  it("embeds every font that it uses and refers to none of the reader's", () => {
    const source = bytes.toString("latin1");
    const fonts = source.match(/\/Subtype \/Type0/gu) ?? [];
    expect(fonts.length).toBeGreaterThanOrEqual(2);
    expect((source.match(/\/FontFile2 /gu) ?? []).length).toBe(fonts.length);
    expect(source).not.toMatch(/\/Subtype \/Type1\b/u);
    expect(source).not.toContain("Helvetica");
  });

  it("is tagged, with a language, and holds figures as vectors, not as pictures", () => {
    const source = bytes.toString("latin1");
    expect(source).toContain("/StructTreeRoot");
    expect(source).toContain("/Marked true");
    expect(source).toMatch(/\/Lang \(en\)/u);
    for (const tag of ["H1", "H2", "P", "Table", "TR", "TH", "TD", "Figure", "Caption", "LI"]) {
      expect(source).toContain(`/S /${tag}\n`);
    }
    const figures = source.match(/\/S \/Figure\n/gu) ?? [];
    expect((source.match(/\/Alt \(/gu) ?? []).length).toBe(figures.length);
    expect(source).not.toContain("/Subtype /Image");
  });

  it("leaves no partial file behind", () => {
    expect(readdirSync(folder)).toEqual(["report.pdf"]);
  });

  it.skipIf(!hasPoppler)(`prints the comparison's own numbers${needsPoppler}`, () => {
    const flat = text.replace(/\s+/gu, " ");
    const { privateRun, referenceRun } = input.comparison;
    for (const run of [privateRun, referenceRun]) {
      expect(flat).toContain(shown(run?.macroAuroc));
      for (const label of run?.labels ?? []) {
        expect(flat).toContain(shown(label.auroc));
        expect(flat).toContain(shown(label.sensitivity));
      }
      for (const group of run?.subgroups ?? []) {
        if (group.auroc) expect(flat).toContain(shown(group.auroc));
      }
    }
    expect(flat).toContain("ε = 7.89");
    expect(flat).toContain("1 × 10");
    expect(flat).toContain("ε = 8.52");
    expect(flat).toContain("9e07d3b2".repeat(8));
    expect(flat).toContain("σ times C on the sum".replace("σ", "0.8420"));
  });

  it.skipIf(!hasPoppler)(`names every label and section${needsPoppler}`, () => {
    for (const finding of findingsOf("sided")) expect(text).toContain(finding.title);
    for (const section of [
      "Privacy statement",
      "What it does not cover",
      "Cohort",
      "Method",
      "Accuracy on the test patients",
      "Accuracy in subgroups",
      "Fairness",
      "Privacy ledger of the cohort",
      "Limits",
      "Glossary",
    ]) {
      expect(text).toContain(section);
    }
    expect(text).toContain("Thorax Łódź 2024");
    expect(text).toContain(`Page ${String(written.pages)} of ${String(written.pages)}`);
  });

  it.skipIf(!hasPoppler)(`states epsilon by both accountants${needsPoppler}`, () => {
    expect(text.replace(/\s+/gu, " ")).toContain("by RDP, and by PLD 8.64 and 7.89");
  });

  it.skipIf(!hasPoppler)(`suppresses cells under the minimum${needsPoppler}`, () => {
    // Three patients of unknown age, and the next smallest group, which the total gives away.
    expect(text).toMatch(/Unknown\s+fewer than 5/u);
    expect(text).toMatch(/0–29\s+not shown/u);
    expect(text).not.toMatch(/(?<![.\d])122\b/u);
  });

  it.skipIf(!hasPoppler)(
    `gives class counts a line of their own in the ledger, and says where it has a gap${needsPoppler}`,
    async () => {
      const other = join(folder, "counts.pdf");
      const [first, ...rest] = input.ledger.runs;
      const classCounts = {
        noiseMultiplier: 6.7198,
        spent: true,
        epsilon: 0.4,
        patientEpsilon: 0.4,
      };
      const gap = {
        sequence: 9,
        recordedAt: "2026-11-20T08:00:00.000Z",
        what: "acknowledged",
        by: "dpo",
        reason: "Disk failed on 3 May.",
        missing: { from: 4, to: 6 },
        backupAt: null,
      } as const;
      const ledger = {
        ...input.ledger,
        runs: [{ ...first!, classCounts }, ...rest],
        verification: { ...input.ledger.verification, gaps: [gap] },
      };
      await writeReport({ ...input, ledger, file: other });
      const words = execFileSync("pdftotext", ["-layout", other, "-"], { encoding: "utf8" });
      expect(words).toMatch(/its class\s.*\bspent\b.*\s1\s+6\.7198\*\s+1\s+1\s+0\.40/u);
      const flat = words.replace(/\s+/gu, " ");
      expect(flat).toContain("part of their run’s ε");
      expect(flat).toMatch(
        /Entries 4 to 6 .*went missing.*by dpo.*Disk failed on 3 May.*not counted/u,
      );
      rmSync(other);
    },
    120_000,
  );

  it.skipIf(!hasPoppler)(
    `calls images synthetic only where they are${needsPoppler}`,
    async () => {
      expect(text.toLowerCase()).not.toContain("synthetic");
      expect(text.toLowerCase()).not.toContain("phantom");
      const other = join(folder, "synthetic.pdf");
      await writeReport({ ...input, synthetic: true, file: other });
      const words = execFileSync("pdftotext", [other, "-"], { encoding: "utf8" });
      expect(words).toContain("synthetic phantoms");
      rmSync(other);
    },
    120_000,
  );

  it.skipIf(!hasPoppler)(`keeps all text within the page's margins${needsPoppler}`, () => {
    const boxes = execFileSync("pdftotext", ["-bbox", file, "-"], { encoding: "utf8" });
    const words = [
      ...boxes.matchAll(/xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"/gu),
    ];
    expect(words.length).toBeGreaterThan(2000);
    for (const [, xMin, yMin, xMax, yMax] of words) {
      expect(Number(xMin)).toBeGreaterThan(50);
      expect(Number(xMax)).toBeLessThan(595.28 - 54);
      expect(Number(yMin)).toBeGreaterThan(30);
      expect(Number(yMax)).toBeLessThan(841.89 - 28);
    }
  });

  it("replaces an older report, and leaves it as it was where writing fails", async () => {
    await expect(
      writeReport({ ...input, file: join(folder, "missing", "report.pdf") }),
    ).rejects.toThrow(UserError);
    await expect(writeReport({ ...input, file: folder })).rejects.toThrow(/cannot be written/u);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(existsSync(join(folder, "missing"))).toBe(false);
    expect(readdirSync(folder)).toEqual(["report.pdf"]);
  }, 120_000);

  it("refuses a comparison that lacks a run or belongs to another", async () => {
    const lacking = { ...input.comparison, referenceRun: null, difference: null };
    await expect(writeReport({ ...input, comparison: lacking, file })).rejects.toThrow(
      /both evaluated/u,
    );
    const other = { ...input.privateRun, id: "another" };
    await expect(writeReport({ ...input, privateRun: other, file })).rejects.toThrow(
      /of other runs/u,
    );
  });
});
