import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { runJson } from "../integration/support.ts";
import { launch, type Launched } from "./launch.ts";

/**
 * A store that was put back to an older state: the newest entries of its ledger are gone, and the
 * kept head of the ledger says so. The person who knows why records it, and work goes on.
 */
let launched: Launched;
let page: Page;
let folder: string;

const screen = (name: string) =>
  page.getByRole("navigation", { name: "Screens" }).getByRole("button", { name, exact: true });
const button = (name: string) => page.getByRole("button", { name, exact: true });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = await mkdtemp(join(tmpdir(), "silhouette-gap-"));
  const data = join(folder, "data");
  const films = join(folder, "films");
  const store = join(data, "silhouette.sqlite");
  await runJson("phantoms", films, "--patients", "100", "--seed", "3", "--size", "64");
  await runJson("import", "bright 9", films, "--data", data);
  await runJson("labels", "bright 9", join(films, "labels.csv"), "--data", data);
  await runJson("ledger", "bright 9", "--cap", "8", "--data", data);
  const older = join(folder, "older.sqlite");
  await copyFile(store, older);
  await runJson("ledger", "bright 9", "--cap", "6", "--data", data);
  await copyFile(older, store);
  launched = await launch(data);
  page = launched.page;
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

test("missing entries are told on every screen and hold private runs back until explained", async () => {
  const alarm = page.getByTestId("ledger-alarm");
  await expect(alarm).toContainText(/does not verify/);
  await screen("Cohort").click();
  await page.getByRole("tab", { name: /Split/ }).click();
  await button("Make split").click();
  await screen("Train").click();
  await expect(alarm).toBeVisible();
  await expect(page.getByTestId("obstacles")).toContainText(/If you know why, record it/);
  await expect(button("Train private and reference run")).toBeDisabled();
  await page.screenshot({ path: "test-results/screens/gap-train.png" });

  await button("Open the ledger").click();
  await expect(page.getByTestId("ledger-gap")).toBeVisible();
  await page.screenshot({ path: "test-results/screens/gap-privacy.png" });
  await button("Acknowledge the gap").click();
  const reason = page.getByLabel("Why they are missing");
  await expect(reason).toBeFocused();
  await reason.fill("lost");
  await button("Record it for good").click();
  await expect(page.getByRole("dialog")).toContainText(/at least 10 characters/);
  await page.screenshot({ path: "test-results/screens/gap-dialog.png" });
  await reason.fill("The disk failed, and the store of yesterday was put back.");
  await reason.press("Enter");

  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(alarm).toBeHidden();
  await expect(page.getByTestId("ledger-gaps")).toContainText("The disk failed");
  await expect(page.getByTestId("ledger-gap")).toBeHidden();
  await page.screenshot({ path: "test-results/screens/gap-recorded.png" });
  await screen("Train").click();
  await expect(page.getByTestId("ledger-gaps")).toBeVisible();
  await expect(button("Train private and reference run")).toBeEnabled();
});
