import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingsOf, keysOf, mirroredFindings } from "../../../src/shared/findings.ts";
import {
  columnSynonyms,
  keyOfName,
  labelsOfColumns,
  longestLabelName,
  mostOwnLabels,
  ownLabelProblems,
  ownScheme,
  ownSetProblem,
  type OwnLabel,
} from "../../../src/shared/own-labels.ts";
import { fontRuns } from "../../../src/main/report/layout/fonts.ts";
import { tableLabels } from "../../../src/main/intake/label-columns.ts";
import { mappedReading } from "../../../src/main/intake/label-reading.ts";
import { parseLabelTable } from "../../../src/main/intake/label-table.ts";

const sideless = (...names: string[]): OwnLabel[] => names.map((name) => ({ name, side: null }));
const problemOf = (...labels: OwnLabel[]) => ownLabelProblems(labels).at(-1);

describe("a set of labels of one's own", () => {
  it("keeps its order, and gives each label a key and a title", () => {
    const scheme = ownScheme([
      { name: "Größe > 3 cm", side: null },
      { name: "Catheter", side: "right" },
      { name: "Catheter", side: "left" },
      { name: "3rd rib", side: null },
      { name: "constructor", side: null },
    ]);
    expect(findingsOf(scheme)).toEqual([
      { key: "große_3_cm", title: "Größe > 3 cm", side: null },
      { key: "catheter_right", title: "Catheter, right", side: "right" },
      { key: "catheter_left", title: "Catheter, left", side: "left" },
      { key: "label_3rd_rib", title: "3rd rib", side: null },
      { key: "label_constructor", title: "constructor", side: null },
    ]);
  });

  it("refuses names that are empty, too long, alike, reserved, or hold a side or what cannot be seen", () => {
    expect(problemOf(...sideless(" "))).toMatch(/a name/);
    expect(problemOf(...sideless("x".repeat(longestLabelName)))).toBeNull();
    expect(problemOf(...sideless("x".repeat(longestLabelName + 1)))).toMatch(/more than 60/);
    expect(problemOf(...sideless("Mass", "mass"))).toMatch(/Another label/);
    expect(problemOf(...sideless("Nodule < 3", "Nodule > 3"))).toMatch(/so alike/);
    expect(problemOf({ name: "Mass", side: "left" }, { name: "Mass", side: "right" })).toBeNull();
    expect(problemOf(...sideless("Effusion (left)"))).toMatch(/choose the side/);
    expect(problemOf(...sideless("Leftover gauze"))).toBeNull();
    for (const hidden of ["a\nb", "a\u0000b", "a\u202eb", "a\u200bb"]) {
      expect(problemOf(...sideless(hidden))).toMatch(/control or invisible/);
    }
    expect(problemOf(...sideless("…"))).toMatch(/letter or a digit/);
    for (const name of [...Object.values(columnSynonyms).flat(), "Note", "View position"]) {
      expect(problemOf(...sideless(name))).toMatch(/no finding/);
    }
    const many = Array.from({ length: mostOwnLabels + 1 }, (_, at) => `Label ${at}`);
    expect(ownSetProblem(sideless(...many))).toMatch(/at most 64 labels; these are 65/);
    expect(ownSetProblem(sideless(...many.slice(1)))).toBeNull();
    expect(ownSetProblem([])).toMatch(/at least one/);
    expect(() => ownScheme(sideless("Mass", "MASS"))).toThrow(/Label 2, “MASS”/);
  });

  it("has as many different keys as labels, none of which an object has itself", () => {
    const label = fc.record({
      name: fc.string({
        unit: fc.constantFrom(..."a b A B 1 3 é _ - ( .".split(" "), " "),
        minLength: 1,
        maxLength: 3,
      }),
      side: fc.constantFrom("right" as const, "left" as const, null),
    });
    fc.assert(
      fc.property(fc.array(label, { minLength: 8, maxLength: 40 }), (drawn) => {
        const problems = ownLabelProblems(drawn);
        const labels = drawn.filter((_, at) => problems[at] === null);
        fc.pre(labels.length > 1);
        const keys = keysOf(ownScheme(labels));
        expect(new Set(keys).size).toBe(labels.length);
        // As an object's properties they stay in their order.
        const object = Object.fromEntries(keys.map((key) => [key, 1]));
        expect(Object.keys(object)).toEqual(keys);
        for (const key of keys) expect(key in {}).toBe(false);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it("refuses characters that a report cannot set", () => {
    for (let code = 0x20; code < 0xd800; code++) {
      const character = String.fromCharCode(code);
      if (/[\p{C}\p{M}]/u.test(character) || character.normalize("NFC") !== character) continue;
      const isSet = fontRuns(`Mass ${character} a`, 400).every(({ text }) => !text.includes("?"));
      if (character === "?" || isSet) continue;
      expect(problemOf(...sideless(`Mass ${character} a`))).toMatch(/cannot print/);
    }
    expect(problemOf(...sideless("Größe – Ωμέγα, Тень…?"))).toBeNull();
  });

  it("mirrors pairs, and knows nothing of a side whose other is no label", () => {
    const scheme = ownScheme([
      { name: "Tube", side: "left" },
      { name: "Mass", side: null },
      { name: "Drain", side: "right" },
      { name: "Tube", side: "right" },
    ]);
    expect(mirroredFindings(scheme)).toEqual([3, 1, -1, 0]);
  });
});

describe("a table's columns as labels", () => {
  it("take a side from words, and from one letter only beside the other", () => {
    expect(
      labelsOfColumns([
        "pleural_effusion_right",
        "Erguss links",
        "Drain (left)",
        "tube_r",
        "tube_l",
        "factor_l",
        "Right-sided mass",
        "oedema_grade",
      ]),
    ).toEqual([
      { name: "Pleural effusion", side: "right" },
      { name: "Erguss", side: "left" },
      { name: "Drain", side: "left" },
      { name: "Tube", side: "right" },
      { name: "Tube", side: "left" },
      { name: "Factor l", side: null },
      { name: "Sided mass", side: "right" },
      { name: "Oedema", side: null },
    ]);
  });

  const table = parseLabelTable(
    Buffer.from(
      "patient_id,age,ward,Zyste,Drain links,Drain rechts,Notes,empty,Blutung\n" +
        "1,61,3,1,0,1,seen,,yes\n2,4,2,0,-1,0,,,no\n3,55,9,-1,,,,,uncertain\n",
    ),
    "ward.csv",
  );

  it("are proposed where they hold grades or states, and nothing else", () => {
    const { columns, rows } = tableLabels(table);
    expect(rows).toBe(3);
    expect(columns.filter(({ isFinding }) => isFinding).map(({ column }) => column)).toEqual([
      "Zyste",
      "Drain links",
      "Drain rechts",
      "Blutung",
    ]);
  });

  it("are found again when the table is read for the cohort, in the cohort's order", () => {
    const scheme = ownScheme([
      { name: "Blutung", side: null },
      { name: "Drain", side: "right" },
      { name: "Drain", side: "left" },
      { name: "Zyste", side: null },
    ]);
    const { rows, problems, tally, mapping, notes } = mappedReading(table, null, {
      positiveAtGrade: 3,
      scheme,
    });
    expect(problems).toEqual([]);
    expect(mapping.findings).toEqual({
      blutung: "Blutung",
      drain_right: "Drain rechts",
      drain_left: "Drain links",
      zyste: "Zyste",
    });
    expect(tally.map(({ finding }) => finding)).toEqual(keysOf(scheme));
    expect(rows.map(({ grades }) => grades)).toEqual([
      { blutung: 3, drain_right: 3, drain_left: 0, zyste: 3 },
      { blutung: 0, drain_right: 0, zyste: 0 },
      {},
    ]);
    expect(notes.join()).toMatch(/4 columns of findings hold only 1, 0 and -1, or words/);
  });

  it("are refused for a label that the cohort has not", () => {
    const scheme = ownScheme(sideless("Zyste"));
    const mapping = { ...mappedReading(table, null, { positiveAtGrade: 2, scheme }).mapping };
    const wrong = { ...mapping, findings: { zist: "Zyste" } };
    expect(mappedReading(table, wrong, { positiveAtGrade: 2, scheme }).problems).toEqual([
      'The cohort has no label "zist".',
    ]);
  });

  it("have the key that their names have", () => {
    expect(keyOfName("Pleural Effusion")).toBe("pleural_effusion");
    expect(keyOfName("__proto__")).toBe("proto");
  });
});
