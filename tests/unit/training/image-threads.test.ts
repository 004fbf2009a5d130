import { truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/shared/errors.ts";
import { FrameWriter, imageCacheFolder } from "../../../src/main/store/image-cache.ts";
import { randomMovement } from "../../../src/main/training/frames.ts";
import { ImageMaker, type ImageOrder } from "../../../src/main/training/image-maker.ts";
import { openImageThreads } from "../../../src/main/training/image-threads.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { seededRandom } from "../support/random.ts";

const framePixels = 24;
const resolutionPixels = 16;
const count = 11;

async function cached() {
  const dataFolder = temporaryFolder();
  const random = seededRandom(3);
  const frame = () => Uint8Array.from({ length: framePixels ** 2 }, () => 256 * random());
  const writer = new FrameWriter(dataFolder, framePixels);
  const locations = await writer.append(Array.from({ length: count }, frame));
  await writer.close();
  const orders: ImageOrder[] = locations.map((source, index) => ({
    source,
    mirrored: index % 2 === 1,
    movement: index % 3 === 0 ? null : randomMovement(random, resolutionPixels),
  }));
  orders.push({ source: frame(), mirrored: false, movement: null });
  return { options: { dataFolder, framePixels, resolutionPixels }, orders, locations };
}

describe("images made in threads", () => {
  it.each([1, 3])("are in order and the same as without threads, by %d", async (threads) => {
    const { options, orders } = await cached();
    const expected = new Float32Array(orders.length * resolutionPixels ** 2);
    const maker = new ImageMaker(options);
    maker.make(orders, expected);
    maker.close();
    expect(new Set(expected).size).toBeGreaterThan(1000);

    const source = openImageThreads(options, threads);
    const [all, some, none] = await Promise.all([
      source.make(orders),
      source.make(orders.slice(2, 4)),
      source.make([]),
    ]);
    expect([...all]).toEqual([...expected]);
    const area = resolutionPixels ** 2;
    expect([...some]).toEqual([...expected.subarray(2 * area, 4 * area)]);
    expect(none).toHaveLength(0);
    expect(source.busyMilliseconds()).toBeGreaterThan(0);
    await source.close();
  });

  it("say which file is damaged, and go on with others", async () => {
    const { options, orders, locations } = await cached();
    const { shard } = locations[0]!;
    const left = 4;
    truncateSync(join(imageCacheFolder(options.dataFolder), shard), left * framePixels ** 2);
    const source = openImageThreads(options, 1);
    const broken = source.make(orders);
    await expect(broken).rejects.toThrow(UserError);
    await expect(broken).rejects.toThrow(shard);
    expect(await source.make(orders.slice(0, left))).toHaveLength(left * resolutionPixels ** 2);
    await source.close();
  });

  it("end with an error for who waits when they are closed", async () => {
    const { options, orders } = await cached();
    const source = openImageThreads(options, 1);
    const waiting = source.make(orders);
    const refused = expect(waiting).rejects.toThrow("The thread that makes the images ended.");
    await source.close();
    await refused;
  });
});
