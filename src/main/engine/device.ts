import type { DeviceTraffic } from "./engine.ts";
import type { KeptValue, Prepare, Value } from "./program.ts";

/**
 * Where an engine computes:
 *
 * - "none": in this process's memory, so that arrays are read and written where they lie.
 * - "crossing": on a device to and from which every value crosses with every run.
 * - "keeping": on a device that can keep values between runs.
 */
export type DeviceKind = "none" | "crossing" | "keeping";

function bytesOf(values: ReadonlyMap<string, Value>): number {
  let bytes = 0;
  for (const value of values.values()) if (value instanceof Float32Array) bytes += value.byteLength;
  return bytes;
}

/**
 * Stands between a network and the programs on its device: counts what crosses, and knows every
 * value that was kept, so that none outlives the calculation that it was kept for.
 */
export class Device {
  private sentBytes = 0;
  private receivedBytes = 0;
  private kept: KeptValue[] = [];

  get traffic(): DeviceTraffic {
    return { sentBytes: this.sentBytes, receivedBytes: this.receivedBytes };
  }

  /** The same programs, watched. */
  watching(prepare: Prepare): Prepare {
    return async (graph, label, kept) => {
      const program = await prepare(graph, label, kept);
      return {
        run: async (feeds, into) => {
          const outputs = await program.run(feeds, into);
          this.sentBytes += bytesOf(feeds);
          this.receivedBytes += bytesOf(outputs);
          this.kept.push(...keptAmong(outputs));
          return outputs;
        },
        dispose: () => program.dispose(),
      };
    };
  }

  /** Frees whatever is still kept, at the end of a calculation or after a failure. */
  async freeAll(): Promise<void> {
    const { kept } = this;
    this.kept = [];
    for (const value of kept) await value.free();
  }
}

function keptAmong(outputs: ReadonlyMap<string, Value>): KeptValue[] {
  return [...outputs.values()].filter(
    (value): value is KeptValue => !(value instanceof Float32Array),
  );
}

/** Frees the outputs of a run that stayed on the device. */
export async function freeKept(outputs: ReadonlyMap<string, Value>): Promise<void> {
  for (const value of keptAmong(outputs)) await value.free();
}
