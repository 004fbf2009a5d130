import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { generatePhantoms } from "../../src/main/phantoms/generate.ts";
import type { CohortSummary } from "../../src/shared/domain.ts";
import { runJson } from "../integration/support.ts";
import { launch, type Launched } from "./launch.ts";

/** A cohort whose labels are a hospital's own columns, made on screen. */
let launched: Launched;
let page: Page;
let folder: string;

const button = (name: string) => page.getByRole("button", { name, exact: true });
const nameOf = (place: number) => page.getByRole("textbox", { name: `Name of label ${place}` });
const sideOf = (place: number) => page.getByLabel(`Side of label ${place}`);
const names = () =>
  page
    .getByRole("textbox", { name: /^Name of label/ })
    .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value));

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = await mkdtemp(join(tmpdir(), "silhouette-own-labels-"));
  await generatePhantoms({
    folder: join(folder, "films"),
    patients: 12,
    seed: 3,
    sizePixels: 96,
  });
  const patients = Array.from({ length: 3 }, (_, at) => `P${at}`);
  const rows = patients.map((patient, at) => `${patient},${40 + at},${at % 2},1,0,,yes`);
  await writeFile(
    join(folder, "ward.csv"),
    `patient_id,age,Zyste,Drain rechts,Drain links,Empty,Blutung\n${rows.join("\n")}\n`,
  );
  launched = await launch(join(folder, "data"));
  page = launched.page;
  await launched.application.evaluate(
    ({ dialog }, answers) => {
      dialog.showOpenDialog = (...args: unknown[]) => {
        const isFolder = JSON.stringify(args).includes("openDirectory");
        const filePaths = [isFolder ? answers.films : answers.table];
        return Promise.resolve({ canceled: false, filePaths });
      };
    },
    { films: join(folder, "films"), table: join(folder, "ward.csv") },
  );
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

test("its labels come from a table, are changed, undone, and fixed with the cohort", async () => {
  await button("New cohort").first().click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("ward");
  await page.getByLabel("Labels", { exact: true }).selectOption("own");
  await button("Create cohort").click();
  await expect(page.getByText("Name at least one label.")).toBeVisible();

  await button("Take a table’s columns").click();
  await expect(page.getByText("Name at least one label.")).toBeHidden();
  await expect(nameOf(3)).toHaveValue("Blutung");
  expect(await names()).toEqual(["Zyste", "Drain", "Blutung"]);
  await expect(sideOf(2)).toHaveValue("both");
  await expect(page.getByText("4 labels: a network has one output for each")).toBeVisible();

  await button("Remove label 1").click();
  expect(await names()).toEqual(["Drain", "Blutung"]);
  await button("Undo").click();
  expect(await names()).toEqual(["Zyste", "Drain", "Blutung"]);
  await button("Redo").click();
  await button("Undo").click();

  await button("Add a label").click();
  await expect(nameOf(4)).toBeFocused();
  await nameOf(4).fill("blutung");
  await nameOf(4).press("Enter");
  await expect(page.getByText(/Another label is called/)).toBeVisible();
  await page.screenshot({ path: "test-results/screens/own-labels-problem.png" });
  await nameOf(4).fill("Effusion left");
  await nameOf(4).blur();
  await expect(page.getByText(/choose the side/)).toBeVisible();
  await nameOf(4).fill("Effusion");
  await nameOf(4).blur();
  await sideOf(4).selectOption("left");
  // Enter went on to a fifth line.
  await button("Remove label 5").click();
  await page.screenshot({ path: "test-results/screens/own-labels.png" });
  await button("Create cohort").click();
  await expect(page.getByRole("dialog")).toBeHidden();

  await button("Choose folders").first().click();
  await expect(page.locator("[data-testid=job-intake][data-state=finished]")).toBeVisible({
    timeout: 60_000,
  });
  const data = ["--data", launched.dataFolder];
  const { summary } = await runJson<{ summary: CohortSummary }>("cohort", "ward", ...data);
  expect(summary.scheme).toEqual({
    findings: [
      { key: "zyste", title: "Zyste", side: null },
      { key: "drain_right", title: "Drain, right", side: "right" },
      { key: "drain_left", title: "Drain, left", side: "left" },
      { key: "blutung", title: "Blutung", side: null },
      { key: "effusion_left", title: "Effusion, left", side: "left" },
    ],
  });
  // The table that they came from waits in the tab, with its columns found.
  await page.getByRole("tab", { name: /Labels/ }).click();
  await expect(page.getByLabel("Drain, left", { exact: true })).toHaveValue("Drain links");
  await page.screenshot({ path: "test-results/screens/own-labels-table.png" });
});
