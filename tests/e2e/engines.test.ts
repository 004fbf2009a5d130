import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { chooseEngine } from "../../src/main/engine/automatic.ts";
import { hasGraphicsDevice } from "../../src/main/engine/graphics.ts";
import { listEngines } from "../../src/main/engine/registry.ts";
import { openDatabase } from "../../src/main/store/database.ts";
import { openSiteIdentity } from "../../src/main/store/identity.ts";
import { fillCohort } from "../support/filled-cohort.ts";
import { addCohort } from "../support/store.ts";
import { launch, type Launched } from "./launch.ts";

/**
 * A machine with two engines: on Linux without a GPU the second is WebGPU on the software renderer
 * that Electron brings along. What "auto" was measured to be is written beforehand, since measuring
 * takes minutes there; the engines themselves are found by the application.
 */
let launched: Launched;
let page: Page;
let folder: string;
let available: readonly string[];

const screen = (name: string) =>
  page.getByRole("navigation", { name: "Screens" }).getByRole("button", { name, exact: true });

test.beforeAll(async () => {
  test.setTimeout(300_000);
  const electron = process.env["ELECTRON_OVERRIDE_DIST_PATH"] ?? "";
  const driver = join(electron, "vk_swiftshader_icd.json");
  if (!hasGraphicsDevice() && existsSync(driver)) {
    process.env["VK_ICD_FILENAMES"] = driver;
    process.env["LD_LIBRARY_PATH"] = electron;
  }
  folder = await mkdtemp(join(tmpdir(), "silhouette-engines-"));
  const database = openDatabase(join(folder, "silhouette.sqlite"));
  const identity = openSiteIdentity(folder, database);
  fillCohort(database, addCohort(database, 64), {
    images: 300,
    patients: 100,
    seal: (path) => identity.seal(path),
  });
  database.close();
  const engines = await listEngines();
  available = engines.filter((engine) => engine.available).map(({ name }) => name);
  for (const network of ["resnet9", "resnet9-small"])
    await chooseEngine(folder, engines, { network, resolutionPixels: 64 }, (engine) =>
      Promise.resolve(
        engine === "onnxruntime-cpu"
          ? { works: true, millisecondsPerImage: 5.25 }
          : { works: false, reason: "it took too long." },
      ),
    );
  launched = await launch(folder);
  page = launched.page;
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

test("the screens say what was measured, and answer while engines are looked for", async () => {
  test.setTimeout(180_000);
  test.skip(available.length < 2, `only ${available.join(", ")} is available`);
  await screen("Settings").click();
  // It fades in, so as not to flicker where the answer is quick.
  await expect(page.getByText(/Loading engines \(a GPU’s driver is tried/)).toBeVisible();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: "test-results/screens/engines-looking.png" });
  await screen("Cohort").click();
  await expect(page.getByRole("heading", { name: "Ready to train" })).toBeVisible({
    timeout: 5000,
  });
  await screen("Settings").click();

  const measured = page.getByTestId("measured-engines");
  await expect(measured).toBeVisible({ timeout: 120_000 });
  const row = measured.getByRole("row", { name: /resnet9-small, 64 px/ });
  await expect(row).toContainText(/onnxruntime-cpu, .+threads?/);
  await expect(row).toContainText(/5\.3 ms an image; onnxruntime-webgpu failed/);
  await expect(row).toContainText("it took too long.");
  await page.screenshot({ path: "test-results/screens/engines-settings.png" });

  await screen("Train").click();
  const field = page.getByLabel("Engine", { exact: true });
  await expect(field).toBeVisible({ timeout: 60_000 });
  await expect(field).toContainText(/Choose for me: onnxruntime-cpu, measured on/);
  await expect(page.getByText(/Measured for this network and resolution: .*5\.3 ms/)).toBeVisible();
  await field.scrollIntoViewIfNeeded();
  await page.screenshot({ path: "test-results/screens/engines-train.png" });
});
