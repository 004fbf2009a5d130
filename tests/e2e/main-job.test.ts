import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { networkNamed } from "../../src/main/network/networks.ts";
import { generatePhantoms } from "../../src/main/phantoms/generate.ts";
import { launch, type Launched } from "./launch.ts";

/** The main job, by clicking, in the real window with the real core; one step builds on another. */
test.describe.configure({ mode: "serial" });

let launched: Launched;
let page: Page;
let folder: string;
let films: string;
let network: string;
let report: string;

const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
const screen = (name: string): Locator =>
  page.getByRole("navigation", { name: "Screens" }).getByRole("button", { name, exact: true });
const tab = (name: RegExp): Locator => page.getByRole("tab", { name });
const picture = (name: string): Promise<Buffer> =>
  page.screenshot({ path: `test-results/screens/${name}.png` });

/** A column of the site's own: each patient's ward. */
async function addWards(file: string): Promise<void> {
  const [head = "", ...rows] = (await readFile(file, "utf8")).trimEnd().split("\n");
  const wardOf = (row: string) => (Number(row.replace(/\D/g, "").at(5)) % 2 === 0 ? "A" : "B");
  const withWard = rows.map((row) => `${row},ward ${wardOf(row.split(",")[0] ?? "")}`);
  await writeFile(file, [`${head},ward`, ...withWard, ""].join("\n"));
}

/** Figures that are wider than their column, so that they run into the next. */
const figuresCutOff = (): Promise<string[]> =>
  page
    .locator("dl dd")
    .evaluateAll((all) =>
      all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent),
    );

test.beforeAll(async () => {
  test.setTimeout(180_000);
  folder = await mkdtemp(join(tmpdir(), "silhouette-main-job-"));
  films = join(folder, "films");
  network = join(folder, "network.json");
  report = join(folder, "report.pdf");
  await generatePhantoms({ folder: films, patients: 110, seed: 21, sizePixels: 128 });
  await addWards(join(films, "labels.csv"));
  await mkdir(join(films, "letters"));
  await writeFile(join(films, "letters", "letter.dcm"), "Dear colleague,\n");
  launched = await launch();
  page = launched.page;
  // A native dialog cannot be clicked: its answer is given in its place.
  await launched.application.evaluate(
    ({ dialog }, answers) => {
      dialog.showOpenDialog = (...args: unknown[]) => {
        const asked = JSON.stringify(args);
        const answer = asked.includes("openDirectory")
          ? answers.films
          : asked.includes('["json"]')
            ? answers.network
            : answers.labels;
        return Promise.resolve({ canceled: false, filePaths: [answer] });
      };
      dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: answers.report });
    },
    { films, labels: join(films, "labels.csv"), network, report },
  );
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

test("a folder becomes a cohort, and what is no film is quarantined with a reason", async () => {
  await button("Create an empty cohort").click();
  await page.getByLabel("Name").fill("Ward 7");
  await button("Create cohort").click();
  await button("Choose folders").first().click();
  await expect(page.locator("[data-testid=job-intake][data-state=finished]")).toBeVisible({
    timeout: 90_000,
  });
  await expect(page.getByText(/letter\.dcm/).first()).toBeVisible();
  await picture("1-intake");
});

test("the labels go in through their preview", async () => {
  await tab(/Labels/).click();
  await button("Choose labels file").click();
  await page.getByRole("checkbox", { name: "ward", exact: true }).check();
  await button("Import labels").click();
  await expect(page.locator("[data-testid=job-labels][data-state=finished]")).toBeVisible({
    timeout: 60_000,
  });
  await tab(/Overview/).click();
  await expect(page.getByText("Cardiomegaly").first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "ward", exact: true })).toBeVisible();
  await picture("2-overview");
});

test("a film opens from the table and is inverted by a key", async () => {
  await tab(/Films/).click();
  const all = await page.getByTestId("film-count").innerText();
  await page.getByLabel("Subgroup").selectOption({ label: "ward A" });
  await expect(page.getByTestId("film-count")).toContainText("match the filter");
  expect(await page.getByTestId("film-count").innerText()).not.toBe(all);
  const grid = page.getByRole("grid", { name: "Films" });
  await grid.press("ArrowDown");
  await grid.press("Enter");
  const viewer = page.getByRole("region", { name: "Film viewer" });
  await expect(viewer.locator("canvas")).toBeVisible();
  await page.waitForTimeout(1500);
  const before = await viewer.locator("canvas").screenshot();
  await page.keyboard.press("i");
  await page.waitForTimeout(500);
  const inverted = await viewer.locator("canvas").screenshot();
  expect(inverted.equals(before)).toBe(false);
  const about = page.getByRole("complementary", { name: "About this film" });
  await expect(about).toContainText(/Sex\s*(Female|Male) \(from the DICOM file\)/);
  await expect(about).toContainText(/ward\s*ward A \(table [0-9a-f]{16}\)/);
  await picture("3-film");
  await page.keyboard.press("Escape");
  await button("Clear filter").click();
});

test("the patients are split once", async () => {
  await tab(/Split/).click();
  await button("Make split").click();
  await expect(page.getByTestId("split-table")).toContainText(/[Tt]est/);
});

test("a network of one's own comes from its file, or is refused with the reason", async () => {
  await screen("Train").click();
  const choice = page.getByLabel("Network", { exact: true });
  const { layers } = networkNamed("resnet9-small");
  const mixing = { kind: "batchNorm", name: "bn1", channels: 1 };
  await writeFile(network, JSON.stringify({ name: "ward-net", layers: [mixing, ...layers] }));
  await button("Choose a network file").click();
  const refusal = page.getByRole("alert").filter({ hasText: "This network cannot be used" });
  await expect(refusal).toContainText(/whole batch/);
  await refusal.scrollIntoViewIfNeeded();
  await picture("4-network-refused");
  await expect(choice).toHaveValue("resnet9-small");

  await writeFile(network, JSON.stringify({ name: "ward-net", layers }));
  await button("Choose a network file").click();
  await expect(refusal).toBeHidden();
  await expect(choice).toHaveValue("ward-net");
  await expect(page.getByRole("main")).toContainText("A network of your own");
  await expect(button("Train private and reference run")).toBeEnabled();
  await picture("4-network");
  // The product's networks are one choice away, and so is the file's.
  await choice.selectOption("resnet9");
  await choice.selectOption("ward-net");
});

test("the slider shows the noise at once, and one click trains the pair", async () => {
  test.setTimeout(180_000);
  await screen("Train").click();
  const content = page.getByRole("main");
  await page.getByLabel("Expected batch").fill("16");
  await page.getByLabel("Epochs").fill("2");
  await expect(button("Train private and reference run")).toBeEnabled();
  const before = await content.innerText();
  const slider = page.getByRole("slider", { name: "Epsilon" });
  for (let press = 0; press < 10; press += 1) await slider.press("ArrowLeft");
  await expect.poll(() => content.innerText()).not.toBe(before);
  await expect(button("Train private and reference run")).toBeEnabled();
  for (const unit of ["image", "patient"]) {
    await page.getByLabel("Privacy unit").selectOption(unit);
    await expect(button("Train private and reference run")).toBeEnabled();
    expect(await figuresCutOff(), `with the ${unit} as the unit`).toEqual([]);
  }
  // Engines are tried out in processes of their own, which a busy machine is slow to start.
  await expect(page.getByLabel("Engine", { exact: true })).toContainText(
    /Choose for me: (onnxruntime-cpu, the only one here|several are measured)/,
    { timeout: 60_000 },
  );
  await picture("4-train");
  await page.getByText("Why others are absent").click();
  await page.getByLabel("Engine", { exact: true }).scrollIntoViewIfNeeded();
  await picture("4-engine");
  await button("Train private and reference run").click();
  await expect(page.getByTestId("run-private").first()).toBeInViewport();
  // Only what is inside a screen scrolls, never the window with its list of screens.
  expect(await page.evaluate(() => document.body.scrollHeight - window.innerHeight)).toBe(0);
  for (const kind of ["private", "reference"]) {
    await expect(
      page.locator(`[data-testid=run-${kind}][data-state=finished]`).first(),
    ).toBeVisible({ timeout: 120_000 });
  }
  await picture("5-trained");
});

test("both runs are compared and the report is written", async () => {
  await button("Compare these runs").click();
  await button("Compare on the test patients").click();
  await expect(page.getByTestId("label-table")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByTestId("label-table")).toContainText("Cardiomegaly");
  await expect(page.getByTestId("fairness-table")).toContainText(/ward\s*ward A/);
  await expect(page.getByTestId("subgroup-table")).toContainText(/ward\s*ward B/);
  expect(await figuresCutOff()).toEqual([]);
  await picture("6-compare");
  await page.getByTestId("subgroup-table").scrollIntoViewIfNeeded();
  await picture("6-subgroups");
  await button("Export PDF").click();
  await expect(page.getByRole("main").getByRole("button", { name: "Open report" })).toBeVisible({
    timeout: 60_000,
  });
  expect((await readFile(report)).subarray(0, 5).toString()).toBe("%PDF-");
});

test("the ledger shows the private run", async () => {
  await screen("Privacy").click();
  await expect(page.getByTestId("ledger-runs")).toContainText(/p-[0-9a-f]{6}/);
  await expect(page.getByRole("main")).toContainText(/intact/i);
  await picture("7-privacy");
});

test("the settings tell of each engine what it is, or how to get it", async () => {
  await screen("Settings").click();
  const table = page.getByTestId("engine-table");
  await expect(table.getByRole("row", { name: /^onnxruntime-cpu/ })).toContainText(/MiB/, {
    timeout: 60_000,
  });
  // What its loader said, with a path and a link, is folded away.
  const tensorflow = await table.getByRole("row", { name: /^tensorflow/ }).innerText();
  expect(tensorflow).not.toMatch(/https?:|tfjs_binding/);
  const linesOfNames = await table.getByRole("rowheader").evaluateAll((all) =>
    all.map((one) => {
      const words = document.createRange();
      words.selectNodeContents(one);
      return words.getClientRects().length;
    }),
  );
  expect(linesOfNames).toEqual(linesOfNames.map(() => 1));
  await picture("8-settings");
});

test("the window outlives its core, and nothing imported is lost", async () => {
  const numbers = (): Promise<{ core: number; images: number }> =>
    page.evaluate(async () => {
      const { silhouette } = globalThis as unknown as {
        silhouette: { call(procedure: string, input: object): Promise<unknown> };
      };
      const info = (await silhouette.call("app:info", {})) as { coreProcess: number };
      const [cohort] = (await silhouette.call("cohort:list", {})) as { images: number }[];
      return { core: info.coreProcess, images: cohort?.images ?? 0 };
    });
  const before = await numbers();
  expect(before.images).toBeGreaterThan(100);
  process.kill(before.core, "SIGKILL");
  await expect
    .poll(
      () =>
        numbers().then(
          ({ core }) => core,
          () => before.core,
        ),
      { timeout: 30_000 },
    )
    .not.toBe(before.core);
  expect((await numbers()).images).toBe(before.images);
});
