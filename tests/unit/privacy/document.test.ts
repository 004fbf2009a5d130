import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const text = readFileSync(new URL("docs/privacy.md", root), "utf8");
/** `path`: "name of the test". */
const references = [...text.matchAll(/`(tests\/[^`]+\.test\.ts)`:\s+"([^"]+)"/g)].map(
  ([, file = "", name = ""]) => ({ file, name }),
);

describe("the document for the data-protection officer", () => {
  it("names at least one test under each heading that promises something", () => {
    const sections = text.split(/^## /m).filter((section) => !/^(#|The promise)/.test(section));
    expect(sections.length).toBeGreaterThan(4);
    for (const section of sections) expect(section).toMatch(/`tests\/[^`]+\.test\.ts`:\s+"/);
  });

  for (const { file, name } of references) {
    it(`names a test that exists: ${file}, "${name}"`, () => {
      const source = readFileSync(new URL(file, root), "utf8");
      const quoted = [`"${name}"`, `\`${name}\``, `'${name}'`];
      expect(quoted.some((literal) => source.includes(literal))).toBe(true);
    });
  }

  it("links to files that exist", () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = ""]) => link);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect([link, existsSync(new URL(`docs/${link}`, root))]).toEqual([link, true]);
    }
  });

  it("refers to tests by file and name, never to a folder", () => {
    expect(references.length).toBeGreaterThan(40);
    for (const [mention = ""] of text.matchAll(/`tests\/[^`]*`/g)) {
      expect(mention).toMatch(/\.(test\.ts|json)`$/);
    }
  });
});
