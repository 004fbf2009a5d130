import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ledgerEntries } from "../../../src/main/store/ledger.ts";
import { recordTelemetry } from "../../../src/main/store/runs.ts";
import { signWithSiteKey, signingKeyFileName } from "../../../src/main/store/signing-key.ts";
import { setCap } from "../../../src/main/training/cap.ts";
import {
  canonicalJson,
  exportStandsIn,
  ledgerExport,
  verifyLedgerExport,
  type LedgerExportContent,
} from "../../../src/main/training/ledger-export.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import {
  carriedOutRun,
  ledgerContent,
  ledgerPlace,
  type LedgerPlace,
} from "../../support/tampered-ledger.ts";

function exported(place: LedgerPlace): string {
  const content = ledgerContent(place);
  expect(content.entries.length).toBeGreaterThan(0);
  return ledgerExport(place.folder, content).text;
}

async function twoRuns(): Promise<LedgerPlace> {
  const place = await ledgerPlace();
  setCap(place.database, place.cohortId, 100);
  carriedOutRun(place, 4);
  carriedOutRun(place, 6, { epsilon: 2, unit: "image" });
  return place;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Content = Omit<LedgerExportContent, "entries"> & {
  readonly entries: Writable<LedgerExportContent["entries"][number]>[];
};
interface Editable {
  content: Writable<Content>;
  signature: unknown;
}

/** The findings after somebody has changed the file; signed again where `folder` is given. */
function findingsAfter(text: string, change: (file: Editable) => void, folder?: string): string {
  const file = JSON.parse(text) as Editable;
  change(file);
  if (folder !== undefined) {
    file.signature = signWithSiteKey(folder, Buffer.from(canonicalJson(file.content)));
  }
  const { valid, findings } = verifyLedgerExport(JSON.stringify(file), "ledger.json");
  expect(valid).toBe(findings.length === 0);
  return findings.join("\n");
}

describe("the canonical form", () => {
  it("orders keys, leaves out what is undefined, and does not depend on how a value was built", () => {
    expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: 1e-7, e: undefined })).toBe(
      '{"a":1e-7,"b":[1,{"c":"x","d":null}]}',
    );
    expect(canonicalJson({ ö: 1, z: 2, Z: 3 })).toBe('{"Z":3,"z":2,"ö":1}');
  });
});

describe("an exported ledger", () => {
  it("verifies without a store, with the epsilon that its entries give", async () => {
    const place = await twoRuns();
    const text = exported(place);
    const found = verifyLedgerExport(text, "ledger.json");
    expect(found.findings).toEqual([]);
    expect(found.valid).toBe(true);
    expect(found.epsilon).toBe(readLedger(place.database, place.cohortId).epsilon);
    expect(found.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is signed with one key of the site that only its owner can read", async () => {
    const place = await twoRuns();
    const first = verifyLedgerExport(exported(place), "one").fingerprint;
    expect(verifyLedgerExport(exported(place), "two").fingerprint).toBe(first);
    const key = join(place.folder, signingKeyFileName);
    expect(readFileSync(key, "utf8")).toMatch(/PRIVATE KEY/);
    if (process.platform !== "win32") expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(exported(place)).not.toMatch(/PRIVATE/);
    writeFileSync(key, "broken");
    expect(() => exported(place)).toThrow(/signing key.*cannot be read/);
  });

  it("names what was changed, also where somebody signed it again", async () => {
    const place = await twoRuns();
    const text = exported(place);
    const weaker = (file: Editable): void => {
      const entry = file.content.entries[1]!;
      entry.body = entry.body.replace(/"noiseMultiplier":[\d.]+/, '"noiseMultiplier":9');
    };
    expect(findingsAfter(text, weaker)).toMatch(/signature does not match/);
    expect(findingsAfter(text, weaker)).toMatch(/entry 2 .*was changed/);
    expect(findingsAfter(text, weaker, place.folder)).not.toMatch(/signature/);
    expect(findingsAfter(text, weaker, place.folder)).toMatch(/entry 2 .*was changed/);
    const shorter = (file: Editable): void => {
      file.content.entries.splice(2, 1);
    };
    expect(findingsAfter(text, shorter, place.folder)).toMatch(/entry 3 is missing/);
    const smaller = (file: Editable): void => {
      file.content.ledger = { ...file.content.ledger, epsilon: 0.1 };
    };
    expect(findingsAfter(text, smaller, place.folder)).toMatch(/epsilon 0\.1 does not follow/);
    const fewer = (file: Editable): void => {
      const [first, ...rest] = file.content.ledger.runs;
      file.content.ledger = {
        ...file.content.ledger,
        runs: [{ ...first!, stepsSpent: 1 }, ...rest],
      };
    };
    expect(findingsAfter(text, fewer, place.folder)).toMatch(
      /spent 1 steps, but ledger entry 3 says 4/,
    );
    expect(findingsAfter(text, () => undefined)).toBe("");
  });

  it("shows which of its entries are no longer in the ledger", async () => {
    const place = await twoRuns();
    const text = exported(place);
    const { cohortId, database } = place;
    const entries = ledgerEntries(database, cohortId);
    expect(exportStandsIn(text, "f", { cohortId, entries })).toEqual([]);
    carriedOutRun(place, 1);
    const grown = ledgerEntries(database, cohortId);
    expect(exportStandsIn(text, "f", { cohortId, entries: grown })).toEqual([]);
    const cut = entries.slice(0, -1);
    expect(exportStandsIn(text, "f", { cohortId, entries: cut })).toEqual([
      expect.stringMatching(/entry 5 stands in f and is no longer/),
    ]);
    const other = entries.map((entry) => ({ ...entry, hash: `0${entry.hash.slice(1)}x` }));
    expect(exportStandsIn(text, "f", { cohortId, entries: other })[0]).toMatch(/entry 1 is not/);
    expect(exportStandsIn(text, "f", { cohortId: 99, entries })[0]).toMatch(/another cohort/);
  });

  it("holds no telemetry", async () => {
    const place = await twoRuns();
    const { runs } = readLedger(place.database, place.cohortId);
    // Values that occur nowhere else.
    const point = {
      step: 3,
      loss: 0.7312345678,
      clippedShare: 0.4498765432,
      leftOut: 7,
      epsilon: 0.1918273645,
    };
    for (const { runId } of runs) recordTelemetry(place.database, runId, point);
    const text = exported(place);
    for (const value of ["0.73123", "0.44987", "0.19182"]) expect(text).not.toContain(value);
    expect(text).not.toMatch(/loss|clippedShare|norms/i);
  });

  it("is refused where it is something else", () => {
    expect(() => verifyLedgerExport("{}", "other.json")).toThrow(/other\.json is not an exported/);
    expect(() => verifyLedgerExport("no JSON", "x")).toThrow(/not an exported ledger/);
  });
});
