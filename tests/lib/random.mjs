// Chance with a seed. A test prints its seed, and PILCROW_SEED (./dev test SUITE --seed N) runs it again.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  // [0, 1): mulberry32
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let z = this.state;

    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  }

  // An integer of [from, to).
  between(from, to) {
    return from + Math.floor(this.next() * (to - from));
  }

  oneOf(list) {
    return list[this.between(0, list.length)];
  }
}

// The seed of this run: PILCROW_SEED, or a fresh one; told to the reader either way.
export function seedOf(t) {
  const seed = process.env.PILCROW_SEED ? Number(process.env.PILCROW_SEED) : Math.floor(Math.random() * 1e9);

  t.diagnostic(`seed ${seed}`);
  return seed;
}
