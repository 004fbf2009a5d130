import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSiteIdentity, siteIdentity } from "../../../src/main/store/identity.ts";
import { temporaryStore, type TemporaryStore } from "../../support/store.ts";

let store: TemporaryStore;
beforeEach(() => {
  store = temporaryStore();
});
afterEach(() => {
  store.remove();
});

const keyFile = () => join(store.dataFolder, "site.key");
const open = () => openSiteIdentity(store.dataFolder, store.database);

function addSource(pathSealed: Uint8Array): void {
  store.database
    .prepare(
      `INSERT INTO source_file (cohort_id, path_key, path_sealed, name_key, size_bytes,
         modified_milliseconds, outcome, recorded_at)
       VALUES (?, 'k', ?, 'n', 1, 1, 'quarantined', 't')`,
    )
    .run(store.cohortId, pathSealed);
}

describe("the site key", () => {
  it("is 32 bytes that only the user may read, made once", () => {
    const first = open().pseudonym("patient", "1");
    expect(statSync(keyFile()).size).toBe(32);
    if (process.platform !== "win32") expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    const key = readFileSync(keyFile());
    expect(open().pseudonym("patient", "1")).toBe(first);
    expect(readFileSync(keyFile())).toEqual(key);
  });

  it("is not replaced where the store holds data and the key is gone", () => {
    addSource(open().seal("/a"));
    rmSync(keyFile());
    expect(open).toThrow(/is missing, but the store holds patients/);
  });

  it("is refused where it is another one than the store was written with, or damaged", () => {
    addSource(open().seal("/a"));
    writeFileSync(keyFile(), Buffer.alloc(32, 7));
    expect(open).toThrow(/is not the one/);
    writeFileSync(keyFile(), "short");
    expect(open).toThrow(/is damaged/);
  });
});

describe("pseudonyms", () => {
  const identity = siteIdentity(Buffer.alloc(32, 1));

  it("differ by kind, by value and by site, and never hold the value", () => {
    const kinds = ["patient", "study", "series", "instance", "path", "file-name"] as const;
    const pseudonyms = new Set(kinds.map((kind) => identity.pseudonym(kind, "1234")));
    expect(pseudonyms.size).toBe(kinds.length);
    for (const pseudonym of pseudonyms) expect(pseudonym).toMatch(/^[0-9a-f]{32}$/);
    const other = siteIdentity(Buffer.alloc(32, 2));
    expect(other.pseudonym("patient", "1234")).not.toBe(identity.pseudonym("patient", "1234"));
  });

  it("do not depend on surrounding space or on the Unicode form", () => {
    const same = identity.pseudonym("patient", "M\u00fcller");
    expect(identity.pseudonym("patient", " Mu\u0308ller ")).toBe(same);
    // Paths are what the file system says they are.
    expect(identity.pseudonym("path", "/\u00fc")).not.toBe(identity.pseudonym("path", "/u\u0308"));
  });
});

describe("dates", () => {
  it("move back by the same number of days for one patient, another for others", () => {
    const identity = siteIdentity(Buffer.alloc(32, 1));
    const days = (patient: string, date: string) =>
      (Date.parse(date) - Date.parse(identity.shiftDate(patient, date))) / 86_400_000;
    expect(days("a", "2020-02-29")).toBe(days("a", "1999-12-31"));
    expect(days("a", "2020-02-29")).toBeGreaterThanOrEqual(1);
    const shifts = new Set(Array.from({ length: 50 }, (_, i) => days(`p${i}`, "2020-01-01")));
    expect(shifts.size).toBeGreaterThan(40);
  });
});

describe("sealing", () => {
  const identity = siteIdentity(Buffer.alloc(32, 1));

  it("gives the text back to this site only, and other bytes each time", () => {
    const sealed = identity.seal("/films/Müller, Hans.dcm");
    expect(identity.open(sealed)).toBe("/films/Müller, Hans.dcm");
    expect(identity.seal("/films/Müller, Hans.dcm")).not.toEqual(sealed);
    expect(sealed.includes("ller")).toBe(false);
    expect(() => siteIdentity(Buffer.alloc(32, 2)).open(sealed)).toThrow();
  });

  it("notices a changed byte", () => {
    const sealed = identity.seal("text");
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => identity.open(changed)).toThrow();
    }
  });

  it("tells equal patient identifiers of two issuers apart, and keeps those without one", () => {
    const identity = siteIdentity(Buffer.alloc(32, 1));
    const alone = identity.pseudonym("patient", "4711");
    expect(identity.patient("4711", null)).toBe(alone);
    expect(identity.patient(" 4711 ", " ")).toBe(alone);
    expect(identity.patient("4711", "North")).not.toBe(alone);
    expect(identity.patient("4711", "North")).not.toBe(identity.patient("4711", "South"));
  });

  it("replaces a UID by a valid one under 2.25, the same for one site and another elsewhere", () => {
    const here = siteIdentity(Buffer.alloc(32, 1));
    const elsewhere = siteIdentity(Buffer.alloc(32, 2));
    const uid = here.uid("1.2.840.113619.2.1");
    expect(uid).toMatch(/^2\.25\.[1-9]\d*$/);
    expect(uid.length).toBeLessThanOrEqual(64);
    expect(here.uid("1.2.840.113619.2.1 ")).toBe(uid);
    expect(elsewhere.uid("1.2.840.113619.2.1")).not.toBe(uid);
  });
});
