import { describe, expect, it } from "vitest";
import {
  fillGaussian,
  openRandomStreams,
  poissonSample,
  RandomStream,
  reproducibleRandomStreams,
} from "../../../src/main/privacy/random.ts";

// Every statistic below is computed from a stream with a fixed key, so it is the same number in
// every run; the limits are those of a test at a level of about 1 in 10,000.
const fixed = (): ReturnType<typeof reproducibleRandomStreams> =>
  reproducibleRandomStreams("tests/unit/privacy/random");

function normals(count: number, deviation = 1): Float64Array {
  const values = new Float64Array(count);
  fillGaussian(fixed().noise, values, deviation);
  return values;
}

/** Standard normal distribution function by the error function of Numerical Recipes (1.2e-7). */
function normalDistribution(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const poly = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ].reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = 0.5 * t * Math.exp(-z * z + poly);
  return x >= 0 ? 1 - tail : tail;
}

describe("random streams", { timeout: 60_000 }, () => {
  it("never repeat between two private runs", () => {
    const words = [openRandomStreams(), openRandomStreams()].flatMap(({ sampling, noise, views }) =>
      [sampling, noise, views].map((stream) => [stream.word(), stream.word()].join()),
    );
    expect(new Set(words).size).toBe(6);
  });

  it("repeat from a known key, and differ between purposes and keys", () => {
    const first = (key: string): number[] => {
      const { sampling, noise, views } = reproducibleRandomStreams(key);
      return [sampling.word(), noise.word(), views.word()];
    };
    expect(first("a")).toEqual(first("a"));
    expect(new Set([...first("a"), ...first("b")]).size).toBe(6);
  });

  it("are AES-256 in counter mode over zeros (NIST SP 800-38A key, block 0 by OpenSSL)", () => {
    // openssl enc -aes-256-ecb -K 6038...2dff4 of a zero block.
    const key = Buffer.from(
      "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
      "hex",
    );
    const stream = new RandomStream(key);
    const words = Uint32Array.of(stream.word(), stream.word(), stream.word(), stream.word());
    expect(Buffer.from(words.buffer).toString("hex")).toBe("e568f68194cf76d6174d4cc04310a854");
    expect(key.every((byte) => byte === 0)).toBe(true);
  });

  it("keep their key out of reach", () => {
    const { noise } = openRandomStreams();
    expect(Object.keys(noise)).toEqual([]);
    expect(JSON.stringify(noise)).toBe("{}");
  });

  it("give uniform numbers in [0, 1) (chi-square over 1,000 cells)", () => {
    const cells = new Float64Array(1000);
    const { sampling } = fixed();
    for (let index = 0; index < 500_000; index += 1) {
      const cell = Math.floor(sampling.uniform() * 1000);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
    expect(chiSquare).toBeGreaterThan(999 - 4 * Math.sqrt(2 * 999));
    expect(chiSquare).toBeLessThan(999 + 4 * Math.sqrt(2 * 999));
  });

  it("give whole numbers below a limit without bias", () => {
    const counts = [0, 0, 0, 0, 0];
    const { views } = fixed();
    for (let index = 0; index < 100_000; index += 1) {
      const value = views.below(5);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 20_000) ** 2 / 20_000, 0);
    expect(counts).toHaveLength(5);
    expect(chiSquare).toBeLessThan(23.5);
    expect(views.below(1)).toBe(0);
    expect(() => views.below(0)).toThrow(RangeError);
  });

  it("do not correlate between sampling and noise", () => {
    const { sampling, noise } = fixed();
    const count = 200_000;
    let sum = 0;
    for (let index = 0; index < count; index += 1) {
      sum += (sampling.uniform() - 0.5) * (noise.uniform() - 0.5);
    }
    expect(Math.abs((sum / count) * 12 * Math.sqrt(count))).toBeLessThan(4);
  });
});

describe("Gaussian noise", { timeout: 60_000 }, () => {
  const count = 1_000_000;
  const sample = normals(count);

  it("has the normal distribution's first four moments", () => {
    const moment = (power: number): number =>
      sample.reduce((sum, value) => sum + value ** power, 0) / count;
    // Standard errors: sqrt((E x^2p - (E x^p)^2) / n).
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
  });

  it("has the normal distribution function (Kolmogorov-Smirnov)", () => {
    const sorted = sample.slice(0, 200_000).sort();
    let distance = 0;
    sorted.forEach((value, index) => {
      const expected = normalDistribution(value);
      distance = Math.max(
        distance,
        Math.abs(expected - index / sorted.length),
        Math.abs(expected - (index + 1) / sorted.length),
      );
    });
    expect(distance * Math.sqrt(sorted.length)).toBeLessThan(2.2);
  });

  it("has the normal distribution's tails", () => {
    for (const [bound, tail] of [
      [2, 0.0455002639],
      [3, 0.0026997961],
      [4, 6.33424837e-5],
    ] as const) {
      const beyond = sample.reduce((sum, value) => sum + (Math.abs(value) > bound ? 1 : 0), 0);
      expect(Math.abs(beyond - count * tail)).toBeLessThan(4 * Math.sqrt(count * tail) + 1);
    }
  });

  it("has no correlation between neighbours, nor between their squares", () => {
    for (const lag of [1, 2, 3]) {
      let plain = 0;
      let squares = 0;
      for (let index = lag; index < count; index += 1) {
        const value = sample[index] ?? NaN;
        const earlier = sample[index - lag] ?? NaN;
        plain += value * earlier;
        squares += (value * value - 1) * (earlier * earlier - 1);
      }
      expect(Math.abs(plain / Math.sqrt(count))).toBeLessThan(4);
      expect(Math.abs(squares / 2 / Math.sqrt(count))).toBeLessThan(4);
    }
  });

  it("scales with the standard deviation, and rounds the same numbers into single precision", () => {
    const doubled = normals(1001, 2);
    const single = new Float32Array(1001);
    fillGaussian(fixed().noise, single, 1);
    for (let index = 0; index < 1001; index += 1) {
      expect(doubled[index]).toBeCloseTo(2 * (sample[index] ?? NaN), 12);
      if (index < 1000) expect(single[index]).toBe(Math.fround(sample[index] ?? NaN));
    }
    expect(normals(10, 0).every((value) => value === 0)).toBe(true);
  });

  it("fills an array of odd length", () => {
    const odd = normals(7);
    expect(odd.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  });

  it("refuses a standard deviation that is negative, infinite or not a number", () => {
    for (const deviation of [-1, Infinity, NaN]) {
      expect(() => {
        fillGaussian(fixed().noise, new Float64Array(2), deviation);
      }).toThrow(String(deviation));
    }
  });
});

describe("Poisson sampling", { timeout: 60_000 }, () => {
  it("takes each unit independently with probability q (sizes are binomial)", () => {
    const { sampling } = fixed();
    const units = 2000;
    const rate = 0.03;
    const rounds = 3000;
    const sizes: number[] = [];
    const taken = new Float64Array(units);
    for (let round = 0; round < rounds; round += 1) {
      const sample = poissonSample(sampling, units, rate);
      sizes.push(sample.length);
      for (const unit of sample) taken[unit] = (taken[unit] ?? 0) + 1;
    }
    const mean = sizes.reduce((sum, size) => sum + size, 0) / rounds;
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / (rounds - 1);
    const expected = units * rate * (1 - rate);
    expect(Math.abs(mean - units * rate)).toBeLessThan(4 * Math.sqrt(expected / rounds));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / rounds));

    const perUnit = rounds * rate * (1 - rate);
    const chiSquare = taken.reduce((sum, count) => sum + (count - rounds * rate) ** 2 / perUnit, 0);
    expect(Math.abs(chiSquare - units)).toBeLessThan(4 * Math.sqrt(2 * units));
  });

  it("gives empty batches where they are due", () => {
    const { sampling } = fixed();
    let empty = 0;
    for (let round = 0; round < 10_000; round += 1) {
      if (poissonSample(sampling, 100, 0.01).length === 0) empty += 1;
    }
    const probability = 0.99 ** 100;
    const deviation = Math.sqrt(10_000 * probability * (1 - probability));
    expect(Math.abs(empty - 10_000 * probability)).toBeLessThan(4 * deviation);
  });

  it("takes nobody at q = 0 and everybody at q = 1, in ascending order", () => {
    const { sampling } = fixed();
    expect(poissonSample(sampling, 1000, 0)).toHaveLength(0);
    expect([...poissonSample(sampling, 1000, 1)]).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
    const some = [...poissonSample(sampling, 1000, 0.3)];
    expect(some).toEqual(some.toSorted((a, b) => a - b));
    expect(poissonSample(sampling, 0, 0.5)).toHaveLength(0);
  });

  it("refuses a sampling rate outside [0, 1]", () => {
    expect(() => poissonSample(fixed().sampling, 10, 1.01)).toThrow(/1\.01/);
  });
});
