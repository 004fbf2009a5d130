import { createCipheriv, hkdfSync, randomBytes, type Cipheriv } from "node:crypto";
import { UserError } from "../../shared/errors.ts";
import { checkSamplingRate } from "./mechanism.ts";

const KEY_BYTES = 32;
const BLOCK_BYTES = 1 << 16;
const TWO_TO_26 = 2 ** 26;
const TWO_TO_MINUS_53 = 2 ** -53;

/**
 * A stream of cryptographically strong random words: AES-256 in counter mode over zeros, with a
 * key of its own. (Counter mode rather than raw ChaCha20, which Electron's cryptographic library
 * does not offer.) The key lives in the cipher object only and can be neither read nor exported.
 */
export class RandomStream {
  readonly #cipher: Cipheriv;
  readonly #zeros = new Uint8Array(BLOCK_BYTES);
  #words = new Uint32Array(0);
  #next = 0;

  /** Takes over `key` (32 bytes) and wipes the caller's copy. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new RangeError(`A stream's key has ${String(KEY_BYTES)} bytes.`);
    }
    this.#cipher = createCipheriv("aes-256-ctr", key, new Uint8Array(16));
    key.fill(0);
  }

  /** A word uniform on 0 ... 2^32 - 1. */
  word(): number {
    if (this.#next >= this.#words.length) this.#refill();
    const word = this.#words[this.#next] ?? 0;
    this.#next += 1;
    return word;
  }

  /** A multiple of 2^-53, uniform on [0, 1). */
  uniform(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * TWO_TO_26 + low) * TWO_TO_MINUS_53;
  }

  /** A whole number uniform on 0 ... limit - 1, exactly (by rejection). `limit` up to 2^32. */
  below(limit: number): number {
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > 2 ** 32) {
      throw new RangeError("The limit of a random whole number lies between 1 and 2^32.");
    }
    const usable = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const word = this.word();
      if (word < usable) return word % limit;
    }
  }

  #refill(): void {
    const bytes = this.#cipher.update(this.#zeros);
    // A copy of our own: the words must be aligned, and the buffer's pool is shared.
    const own = new Uint8Array(bytes.length);
    own.set(bytes);
    bytes.fill(0);
    this.#words = new Uint32Array(own.buffer);
    this.#next = 0;
  }
}

/** The independent streams of one run, one for each purpose. */
export interface RandomStreams {
  /** Decides which units enter a step. */
  readonly sampling: RandomStream;
  /** Becomes the Gaussian noise. */
  readonly noise: RandomStream;
  /** Everything else that a run draws: which of a unit's images is shown, augmentation. */
  readonly views: RandomStream;
}

/**
 * Streams keyed from the operating system's generator, for a private run. There is no seed, and
 * two calls never give the same streams.
 */
export function openRandomStreams(): RandomStreams {
  const secret = randomBytes(KEY_BYTES);
  const streams = deriveStreams(secret);
  secret.fill(0);
  return streams;
}

/**
 * Streams from a key that the caller knows: for tests, and for reference runs that must be
 * repeatable. Never for a private run: whoever knows the key can subtract the noise.
 */
export function reproducibleRandomStreams(key: string): RandomStreams {
  return deriveStreams(new TextEncoder().encode(key));
}

/** Separate keys by HKDF-SHA-256 (RFC 5869), one info string for each purpose. */
function deriveStreams(secret: Uint8Array): RandomStreams {
  const derive = (purpose: string): RandomStream =>
    new RandomStream(
      new Uint8Array(hkdfSync("sha256", secret, "", `silhouette ${purpose} 1`, KEY_BYTES)),
    );
  return { sampling: derive("sampling"), noise: derive("noise"), views: derive("views") };
}

/**
 * Fills `into` with independent normal numbers of mean 0 and standard deviation
 * `standardDeviation` (Box and Muller 1958, in double precision on 53-bit uniforms; a Float32Array
 * rounds the finished number once).
 *
 * Limits: the largest possible magnitude is 8.57 standard deviations (beyond it lies a mass of
 * 1e-17), and the numbers are floating-point: the attack of Mironov 2012 on their low-order bits
 * is not mitigated by this sampler.
 */
export function fillGaussian(
  stream: RandomStream,
  into: Float64Array | Float32Array,
  standardDeviation: number,
): void {
  if (!(standardDeviation >= 0) || standardDeviation === Infinity) {
    throw new UserError(
      "input",
      `The noise's standard deviation must be 0 or more and finite, but it is ${String(standardDeviation)}.`,
    );
  }
  for (let index = 0; index < into.length; index += 2) {
    // 1 - u lies in (0, 1], so that the logarithm is finite.
    const radius = standardDeviation * Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    const angle = 2 * Math.PI * stream.uniform();
    into[index] = radius * Math.cos(angle);
    // Beyond the end of an odd array this write is ignored.
    into[index + 1] = radius * Math.sin(angle);
  }
}

/**
 * A Poisson sample: each of the units 0 ... unitCount - 1 is taken independently with probability
 * q, by comparing a 53-bit uniform with q (so q is met within 2^-53; 0 and 1 exactly). One uniform
 * is drawn for each unit whatever q is. May be empty.
 *
 * @returns the units taken, ascending
 */
export function poissonSample(
  stream: RandomStream,
  unitCount: number,
  samplingRate: number,
): Uint32Array {
  checkSamplingRate(samplingRate);
  const taken: number[] = [];
  for (let unit = 0; unit < unitCount; unit += 1) {
    if (stream.uniform() < samplingRate) taken.push(unit);
  }
  return Uint32Array.from(taken);
}
