import { describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "../../../src/main/shell/content-security-policy.ts";

describe("the content security policy", () => {
  const directives = new Map(
    contentSecurityPolicy.split("; ").map((directive) => {
      const [name = "", ...sources] = directive.split(" ");
      return [name, sources] as const;
    }),
  );

  it("denies what it does not name", () => {
    expect(directives.get("default-src")).toEqual(["'none'"]);
  });

  it("runs scripts of the application only, none inline and none evaluated", () => {
    expect(directives.get("script-src")).toEqual(["'self'"]);
    expect(contentSecurityPolicy).not.toContain("unsafe");
  });

  it("names no host and no network scheme", () => {
    expect(contentSecurityPolicy).not.toMatch(/https?:|wss?:|\*/);
  });

  it("cannot be embedded, and neither base nor form can lead away", () => {
    for (const name of ["frame-ancestors", "base-uri", "form-action"]) {
      expect(directives.get(name)).toEqual(["'none'"]);
    }
  });
});
