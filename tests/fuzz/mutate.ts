import { seeded } from "../support/films.ts";

const interesting = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x5c, 0x1b];
const wide = [0, 1, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** One mutated input: the same seed number always gives the same bytes. */
export function mutate(seeds: readonly Uint8Array[], number: number): Uint8Array {
  const random = seeded(number * 2654435761);
  const below = (limit: number) => Math.floor(random() * limit);
  let bytes = Buffer.from(seeds[below(seeds.length)] ?? new Uint8Array(0));
  const rounds = random() < 0.5 ? 1 : 1 + below(6);
  for (let round = 0; round < rounds; round++) {
    // Headers decide most, so half of all changes fall into the beginning.
    const at = below(random() < 0.5 ? Math.min(bytes.length, 600) : bytes.length);
    switch (below(8)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        bytes[at] = interesting[below(interesting.length)] ?? 0;
        break;
      case 2:
        bytes[at] = below(256);
        break;
      case 3: {
        const width = random() < 0.5 ? 2 : 4;
        const value = (wide[below(wide.length)] ?? 0) % 2 ** (8 * width);
        if (at + width > bytes.length) break;
        if (random() < 0.5) bytes.writeUIntLE(value, at, width);
        else bytes.writeUIntBE(value, at, width);
        break;
      }
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      case 5: {
        const length = below(64);
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      }
      case 6: {
        const from = below(bytes.length);
        const piece = bytes.subarray(from, from + below(64));
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
        break;
      }
      default: {
        const other = seeds[below(seeds.length)] ?? new Uint8Array(0);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length))]);
      }
    }
  }
  return bytes;
}
