import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { keysOf } from "../../src/shared/findings.ts";
import { runJson } from "../integration/support.ts";
import { seeded } from "../support/films.ts";
import { greyPngOf } from "../support/png.ts";
import { launch, type Launched } from "./launch.ts";

/** A cohort of CheXpert's fourteen observations, made on screen, with pictures in its folders. */
let launched: Launched;
let page: Page;
let folder: string;

const header =
  "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly," +
  "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax," +
  "Pleural Effusion,Pleural Other,Fracture,Support Devices";
const button = (name: string) => page.getByRole("button", { name, exact: true });
const screen = (name: string) =>
  page.getByRole("navigation", { name: "Screens" }).getByRole("button", { name, exact: true });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = await mkdtemp(join(tmpdir(), "silhouette-labels-"));
  launched = await launch(join(folder, "data"));
  page = launched.page;
  await page.setViewportSize({ width: 1440, height: 873 });
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

/** One film of each patient; every other one without a finding, which leaves the rest blank. */
async function makeDataSet(patients: number): Promise<string> {
  const random = seeded(5);
  const root = join(folder, "CheXpert-v1.0-small");
  const rows: string[] = [];
  for (let patient = 1; patient <= patients; patient++) {
    const place = `train/patient${String(patient).padStart(5, "0")}/study1`;
    const pixels = Array.from({ length: 64 * 64 }, () => Math.floor(random() * 65_536));
    await mkdir(join(root, place), { recursive: true });
    await writeFile(join(root, place, "view1_frontal.png"), greyPngOf(pixels, 64, 64, 16));
    const marks = keysOf("chexpert").map((key) => {
      if (key === "no_finding") return patient % 2 === 0 ? "1.0" : "";
      if (patient % 2 === 0) return "";
      return random() < 0.5 ? "1.0" : random() < 0.8 ? "0.0" : "-1.0";
    });
    rows.push(
      `CheXpert-v1.0-small/${place}/view1_frontal.png,Female,60,Frontal,AP,${marks.join(",")}`,
    );
  }
  await writeFile(join(root, "train.csv"), `${header}\n${rows.join("\n")}\n`);
  return root;
}

test("its own labels are chosen on screen, filled by the preset, and read on screen", async () => {
  await button("New cohort").first().click();
  await page.getByRole("textbox", { name: "Name" }).fill("stanford");
  await page.getByLabel("Labels", { exact: true }).selectOption("chexpert");
  await expect(page.getByText(/All that the CheXpert labeller names/)).toBeVisible();
  await page.screenshot({ path: "test-results/screens/labels-new-cohort.png" });
  await button("Create cohort").click();

  const root = await makeDataSet(40);
  const data = ["--data", launched.dataFolder];
  const table = join(root, "train.csv");
  await runJson("import", "stanford", join(root, "train"), "--table", table, ...data);
  await runJson("labels", "stanford", table, ...data);
  await page.reload();

  await page.getByRole("tab", { name: /Overview/ }).click();
  for (const title of ["No finding", "Enlarged cardiomediastinum", "Support devices"]) {
    await expect(page.getByRole("rowheader", { name: title })).toBeVisible();
  }
  await page.screenshot({ path: "test-results/screens/labels-overview.png" });
  await page.getByRole("tab", { name: /Films/ }).click();
  await page.screenshot({ path: "test-results/screens/labels-films.png" });
  await page.getByRole("tab", { name: /Labels/ }).click();
  await page.screenshot({ path: "test-results/screens/labels-tab.png" });
  const own = join(folder, "own.csv");
  await writeFile(
    own,
    "patient,file,No Finding,Pleural Effusion,Edema\n" +
      "patient00001,view1_frontal.png,0,1,-1\npatient00003,view1_frontal.png,1,1,0\n",
  );
  await launched.application.evaluate(({ dialog }, file) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [file] });
  }, own);
  await button("Choose labels file").click();
  await expect(page.getByLabel("Pleural effusion", { exact: true })).toHaveValue(
    "Pleural Effusion",
  );
  await expect(page.getByText("says no finding, and names one: Pleural effusion")).toBeVisible();
  await expect(
    page.getByText(/3 columns of findings hold only 1, 0 and -1.*as missing/),
  ).toBeVisible();
  await page.getByLabel("Uncertain labels count as").selectOption("positive");
  await expect(page.getByText(/uncertain counts as positive/)).toBeVisible();
  await button("Cancel").click();
  await page.getByRole("tab", { name: /Split/ }).click();
  await button("Make split").click();
  await expect(page.getByRole("rowheader", { name: "Support devices, positive" })).toBeVisible();
  await page.screenshot({ path: "test-results/screens/labels-split.png", fullPage: true });
  await screen("Train").click();
  await page.screenshot({ path: "test-results/screens/labels-train.png" });
});
