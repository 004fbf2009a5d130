import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FrameReader, FrameWriter, imageCacheFolder } from "../../../src/main/store/image-cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "silhouette-cache-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const framePixels = 4;
const frame = (value: number) => new Uint8Array(framePixels ** 2).fill(value);

async function write(values: readonly number[], shardFrames?: number) {
  const writer = new FrameWriter(folder, framePixels, shardFrames);
  const locations = await writer.append(values.map(frame));
  await writer.close();
  return locations;
}

function read(...args: Parameters<FrameReader["read"]>): number[] {
  const reader = new FrameReader(folder, framePixels);
  try {
    const bytes = reader.read(...args);
    return Array.from({ length: args[0].length }, (_, i) => bytes[i * framePixels ** 2] ?? -1);
  } finally {
    reader.close();
  }
}

describe("the image cache", () => {
  it("writes more frames at once than one call takes", async () => {
    const values = Array.from({ length: 700 }, (_, index) => index % 251);
    expect(read(await write(values))).toEqual(values);
  });

  it("gives frames back by position, in the order asked for", async () => {
    const locations = await write([10, 11, 12, 13, 14]);
    const asked = [4, 0, 2, 2].flatMap((index) => locations[index] ?? []);
    expect(read(asked)).toEqual([14, 10, 12, 12]);
  });

  it("begins a new shard when one is full", async () => {
    const locations = await write([1, 2, 3, 4, 5], 2);
    expect(locations.map(({ position }) => position)).toEqual([0, 1, 0, 1, 0]);
    expect(readdirSync(imageCacheFolder(folder))).toHaveLength(3);
    expect(read(locations)).toEqual([1, 2, 3, 4, 5]);
  });

  it("gives each writer a shard of its own, and none without frames", async () => {
    const [first] = await write([1]);
    const [second] = await write([2]);
    await write([]);
    expect(first?.shard).not.toBe(second?.shard);
    expect(readdirSync(imageCacheFolder(folder))).toHaveLength(2);
  });

  it("ignores what a killed job left at the end of a shard", async () => {
    const locations = await write([1, 2]);
    appendFileSync(join(imageCacheFolder(folder), locations[0]?.shard ?? ""), "half a frame");
    expect(read(locations)).toEqual([1, 2]);
  });

  it("notices a frame that changed, ends early or is gone", async () => {
    const locations = await write([1, 2]);
    const file = join(imageCacheFolder(folder), locations[0]?.shard ?? "");
    truncateSync(file, 20);
    expect(() => read(locations)).toThrow(/frame 1 of .* ends early/);
    writeFileSync(file, Buffer.alloc(32, 9));
    expect(() => read(locations)).toThrow(/frame 0 of .* has changed/);
    rmSync(file);
    expect(() => read(locations)).toThrow(/lacks the file/);
  });

  it("refuses frames of another size and names that leave the folder", async () => {
    const writer = new FrameWriter(folder, framePixels);
    await expect(writer.append([new Uint8Array(3)])).rejects.toThrow(/3 bytes instead of 16/);
    expect(() => read([{ shard: "../site.key", position: 0 }])).toThrow(/Not the name/);
  });
});
