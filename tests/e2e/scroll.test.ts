import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { openDatabase } from "../../src/main/store/database.ts";
import { openSiteIdentity } from "../../src/main/store/identity.ts";
import { fillCohort } from "../support/filled-cohort.ts";
import { addCohort } from "../support/store.ts";
import { launch, type Launched } from "./launch.ts";

/**
 * The film table under fast hands: wheel, keys and scroll bar. Each frame that is drawn meanwhile is
 * looked at: whether rows cover the table, and whether each has its film.
 *
 *     SILHOUETTE_FILMS=200000 npm run test:e2e -- scroll
 */
const films = Number(process.env["SILHOUETTE_FILMS"] ?? 20_000);
let folder: string;
let launched: Launched;

test.beforeAll(async () => {
  test.setTimeout(300_000);
  folder = await mkdtemp(join(tmpdir(), "silhouette-scroll-"));
  const database = openDatabase(join(folder, "silhouette.sqlite"));
  const identity = openSiteIdentity(folder, database);
  fillCohort(database, addCohort(database, 64), {
    images: films,
    patients: Math.ceil(films / 3),
    seal: (path) => identity.seal(path),
  });
  database.close();
  launched = await launch(folder);
});

test.afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

interface Seen {
  readonly frames: number;
  /** Frames in which some of the table was not covered by rows. */
  readonly uncovered: number;
  /** Frames in which a row stood without its film. */
  readonly waiting: number;
  /** The most such rows in a frame, and the longest that any was to be seen. */
  readonly rowsAtOnce: number;
  readonly longestMilliseconds: number;
  readonly heightPixels: number;
  readonly movedPixels: number;
}

/** Watches the table's rows, frame by frame, while `act` goes on and for half a second after it. */
async function watched(page: Page, act: () => Promise<void>): Promise<Seen> {
  await page.evaluate(() => {
    const body = document.querySelector("[role=grid][aria-label=Films] [role=rowgroup]");
    if (body === null) throw new Error("no table");
    const seen = {
      frames: 0,
      uncovered: 0,
      waiting: 0,
      rowsAtOnce: 0,
      longestMilliseconds: 0,
      heightPixels: body.clientHeight,
      movedPixels: 0,
    };
    let since: number | null = null;
    let top = body.scrollTop;
    const look = (now: number): void => {
      const area = body.getBoundingClientRect();
      const [from, to] = [area.top, area.top + body.clientHeight];
      let covered = 0;
      let without = 0;
      for (const row of body.querySelectorAll("[role=row]")) {
        const { top: rowTop, bottom } = row.getBoundingClientRect();
        const height = Math.min(bottom, to) - Math.max(rowTop, from);
        if (height <= 0) continue;
        covered += height;
        if (row.children.length < 2) without++;
      }
      seen.frames++;
      seen.movedPixels += Math.abs(body.scrollTop - top);
      top = body.scrollTop;
      if (covered < to - from - 1) seen.uncovered++;
      if (without > 0) seen.waiting++;
      seen.rowsAtOnce = Math.max(seen.rowsAtOnce, without);
      if (without === 0 && covered >= to - from - 1) since = null;
      else seen.longestMilliseconds = Math.max(seen.longestMilliseconds, now - (since ??= now));
      frame = requestAnimationFrame(look);
    };
    let frame = requestAnimationFrame(look);
    Object.assign(window, {
      stopWatching: () => {
        cancelAnimationFrame(frame);
        return seen;
      },
    });
  });
  await act();
  await page.waitForTimeout(500);
  return page.evaluate(() => (window as unknown as { stopWatching: () => Seen }).stopWatching());
}

test("the film table scrolls without blank rows", async () => {
  test.setTimeout(180_000);
  const { page } = launched;
  await page.getByRole("tab", { name: /^Films/ }).click();
  const table = page.getByRole("grid", { name: "Films" });
  await expect(table.getByRole("row").nth(1)).toContainText(/Included|Set aside/);
  await expect(table).toHaveAttribute("aria-rowcount", String(films + 1));
  const box = await table.locator("[role=rowgroup]").boundingBox();
  if (box === null) throw new Error("no table");
  await table.focus();
  await page.mouse.move(box.x + 200, box.y + 100);

  const seen: Record<string, Seen> = {
    "wheel, notch by notch": await watched(page, async () => {
      for (let notch = 0; notch < 150; notch++) {
        await page.mouse.wheel(0, 120);
        await page.waitForTimeout(12);
      }
    }),
    "wheel, thrown": await watched(page, async () => {
      for (let notch = 0; notch < 120; notch++) {
        await page.mouse.wheel(0, 1500);
        await page.waitForTimeout(12);
      }
    }),
    "PageDown held": await watched(page, async () => {
      for (let press = 0; press < 120; press++) {
        await page.keyboard.press("PageDown");
        await page.waitForTimeout(25);
      }
    }),
    "End and Home": await watched(page, async () => {
      for (let press = 0; press < 10; press++) {
        await page.keyboard.press(press % 2 === 0 ? "End" : "Home");
        await page.waitForTimeout(250);
      }
    }),
    "scroll bar dragged": await watched(page, async () => {
      const x = box.x + box.width - 5;
      await page.mouse.move(x, box.y + 8);
      await page.mouse.down();
      for (let step = 1; step <= 100; step++) {
        await page.mouse.move(x, box.y + 8 + ((box.height - 40) * step) / 100);
        await page.waitForTimeout(16);
      }
      await page.mouse.up();
    }),
  };
  for (const [name, each] of Object.entries(seen)) {
    process.stdout.write(`${films} films, ${name}: ${JSON.stringify(each)}\n`);
    expect.soft(each.movedPixels, name).toBeGreaterThan(1000);
    expect.soft(each.uncovered, name).toBe(0);
  }
});
