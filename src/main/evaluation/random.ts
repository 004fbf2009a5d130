/**
 * A seeded generator for resampling: xoshiro128** (Blackman and Vigna 2021), its state filled by
 * splitmix32. Repeatable by design and therefore for statistics only: never for sampling patients
 * in training or for noise.
 *
 * @returns a function that gives integers uniform on [0, 2^32)
 */
export function seededGenerator(seed: number): () => number {
  let mixed = seed >>> 0;
  const nextMixed = (): number => {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = nextMixed();
  let b = nextMixed();
  let c = nextMixed();
  let d = nextMixed();
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

/**
 * Draws as many patients with replacement as there are, and writes how often each was drawn.
 * The bias of scaling 32 bits to n patients is below n / 2^32.
 */
export function drawPatientCounts(next: () => number, counts: Uint16Array): void {
  counts.fill(0);
  const patients = counts.length;
  for (let draw = 0; draw < patients; draw += 1) {
    const patient = Math.floor((next() / 4294967296) * patients);
    counts[patient] = (counts[patient] ?? 0) + 1;
  }
}
