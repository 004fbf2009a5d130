import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type CDPSession, type Locator, type Page } from "@playwright/test";
import { writeFilm } from "../support/films.ts";
import { launch, type Launched } from "./launch.ts";

/** What a ward hands over, dragged onto the real window; one step builds on another. */
test.describe.configure({ mode: "serial" });

let launched: Launched;
let page: Page;
let pointer: CDPSession;
let folder: string;
let ward: string;

const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
const tab = (name: RegExp): Locator => page.getByRole("tab", { name });
const picture = (name: string): Promise<Buffer> =>
  page.screenshot({ path: `test-results/screens/${name}.png` });
const finished = (): Locator => page.locator("[data-testid=job-intake][data-state=finished]");

/**
 * The drag as the operating system hands it to the browser, with the files' paths; a drag that a
 * page makes itself carries none.
 */
async function drag(type: "dragEnter" | "dragOver" | "drop", files: readonly string[]) {
  await pointer.send("Input.dispatchDragEvent", {
    type,
    x: 600,
    y: 400,
    data: { items: [], files: [...files], dragOperationsMask: 1 },
  });
}

/** The figure under a title of the import's result. */
async function figure(title: string): Promise<string> {
  const stat = page.getByTestId("import-result").locator("div", {
    has: page.locator("dt", { hasText: new RegExp(`^${title}$`) }),
  });
  return (await stat.locator(".value").innerText()).trim();
}

async function result(): Promise<Record<string, string>> {
  const titles = [
    "Files found",
    "Imported",
    "Duplicates",
    "Set aside",
    "Quarantined",
    "Passed over",
  ];
  return Object.fromEntries(
    await Promise.all(titles.map(async (title) => [title, await figure(title)] as const)),
  );
}

async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  const path = join(ward, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
}

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "silhouette-drop-"));
  ward = join(folder, "Station 3 (März)");
  await put("a/1.dcm", writeFilm(1, 1));
  await put("a/2", writeFilm(2, 1));
  await put("b/3.DCM", writeFilm(3, 2, {}, { preamble: false }));
  await put("b/again.dcm", writeFilm(1, 1));
  await put("b/lateral.dcm", writeFilm(4, 2, { "00185101": "LL" }));
  await put("b/knee.dcm", writeFilm(8, 2, { "00180015": "KNEE" }));
  await put("b/cut.dcm", writeFilm(5, 3).subarray(0, 2000));
  await put("b/letter.dcm", "Dear colleague,\n");
  await put("b/tomography.dcm", writeFilm(6, 3, { "00080060": "CT" }));
  await put("c/list.csv", "patient,label\n");
  await put("c/readme.txt", "These are words.\n");
  await put("c/.DS_Store", "not looked at");
  await writeFile(join(folder, "single.dcm"), writeFilm(9, 4));
  launched = await launch();
  page = launched.page;
  pointer = await page.context().newCDPSession(page);
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

test("a mixed folder and a single file, dropped on the empty window, ask for a cohort", async () => {
  const files = [ward, join(folder, "single.dcm")];
  await drag("dragEnter", files);
  await drag("dragOver", files);
  await expect(page.getByText("Drop to make a cohort of these films")).toBeVisible();
  await picture("drop-1-over");
  await drag("drop", files);
  await expect(page.getByText("Drop to make a cohort of these films")).toBeHidden();
  await expect(page.getByLabel("Name")).toHaveValue("Station 3 (März)");
  await expect(page.getByText("1 folder and 1 file will be added to it.")).toBeVisible();
  await page.getByLabel("Labels").selectOption("unsided");
  await picture("drop-1-cohort");
  await button("Create cohort").click();
  await expect(finished()).toBeVisible({ timeout: 60_000 });
});

test("each file has an end on the screen: film, duplicate, set aside, quarantined, passed over", async () => {
  await expect(page.getByTestId("import-result")).toBeVisible();
  expect(await result()).toEqual({
    "Files found": "10",
    Imported: "6",
    Duplicates: "1",
    "Set aside": "2",
    Quarantined: "3",
    "Passed over": "3",
  });
  await picture("drop-2-result");

  await tab(/Films/).click();
  await expect(page.getByTestId("film-count")).toHaveText(/^6 films/);
  // The labels without sides that the dialog was given, and no others.
  await expect(page.getByLabel("Finding").locator("option")).toHaveText([
    "Any",
    "Cardiomegaly",
    "Congestion",
    "Pleural effusion",
    "Pneumonic infiltration",
    "Atelectasis",
  ]);
  await page.getByLabel("Status").selectOption("set-aside");
  await expect(page.getByTestId("film-count")).toHaveText(/^2 films/);
  await button("Clear filter").click();

  await tab(/Overview/).click();
  const aside = page.getByTestId("aside-table");
  await expect(aside.getByRole("row", { name: /Lateral films/ })).toContainText("1 film of 1 pat");
  await expect(aside.getByRole("row", { name: /Other body parts/ })).toContainText("1 film of 1");
  await picture("drop-3-overview");
});

test("the quarantine names each file with its reason", async () => {
  await tab(/Quarantine/).click();
  const rows = page.getByTestId("quarantine-table").locator("tbody tr");
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: join(ward, "b", "cut.dcm") })).toContainText(
    /The file ends early: .* Copy or export the file again/,
  );
  await expect(rows.filter({ hasText: join(ward, "b", "letter.dcm") })).toContainText(
    "The file is text, not a DICOM file",
  );
  await expect(rows.filter({ hasText: join(ward, "b", "tomography.dcm") })).toContainText(
    "computed tomography",
  );
  await picture("drop-4-quarantine");
});

test("the list of the quarantine is exported", async () => {
  const list = join(folder, "quarantine.csv");
  await launched.application.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
  }, list);
  await button("Export list").click();
  await expect(page.getByText(`3 files with reasons in ${list}.`)).toBeVisible();
  const lines = (await readFile(list, "utf8")).trim().split(/\r?\n/);
  expect(lines).toHaveLength(4);
  expect(lines.filter((line) => line.includes(join(ward, "b", "cut.dcm")))).toEqual([
    expect.stringContaining("The file ends early"),
  ]);
});

test("a file that was mended is a film after another try", async () => {
  await put("b/cut.dcm", writeFilm(5, 3));
  const row = page.getByTestId("quarantine-table").locator("tr", { hasText: "cut.dcm" });
  await row.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByTestId("quarantine-table").locator("tbody tr")).toHaveCount(2, {
    timeout: 30_000,
  });
  await tab(/Films/).click();
  await expect(page.getByTestId("film-count")).toHaveText(/^7 films/);
});

test("what is dropped on a cohort is added to it, and nothing twice", async () => {
  await put("d/10.dcm", writeFilm(10, 5));
  await drag("dragEnter", [ward]);
  await drag("dragOver", [ward]);
  await expect(page.getByText("Drop to add to Station 3 (März)")).toBeVisible();
  await drag("drop", [ward]);
  await expect
    .poll(() => result(), { timeout: 30_000 })
    .toMatchObject({
      "Files found": "10",
      Imported: "1",
      Duplicates: "7",
      Quarantined: "2",
    });
});

test("raw detector data are set aside, and taken back by who has read what they are", async () => {
  await put("e/11.dcm", writeFilm(11, 6, { "00080068": "FOR PROCESSING" }));
  await drag("dragEnter", [join(ward, "e")]);
  await drag("dragOver", [join(ward, "e")]);
  await drag("drop", [join(ward, "e")]);
  await expect
    .poll(() => result(), { timeout: 30_000 })
    .toMatchObject({ "Files found": "1", Imported: "1", "Set aside": "1" });
  await tab(/Overview/).click();
  const raw = page.getByTestId("aside-table").getByRole("row", { name: /Raw detector data/ });
  await expect(raw).toContainText("1 film of 1 patient");
  await raw.getByRole("button", { name: "Take all back" }).click();
  await expect(page.getByText("a network learns the difference")).toBeVisible();
  await picture("drop-5-raw");
  await button("Cancel").click();
  await expect(raw).toBeVisible();
  await raw.getByRole("button", { name: "Take all back" }).click();
  await button("Take 1 film back").click();
  await expect(raw).toBeHidden();
});
