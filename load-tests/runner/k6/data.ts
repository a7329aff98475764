/** Stand-in of `k6/data`: each virtual user has its own copy, frozen, where k6 has one for all. */
export class SharedArray {
  constructor(_name: string, make: () => unknown[]) {
    // biome-ignore lint/correctness/noConstructorReturn: so does k6
    return Object.freeze(make()) as unknown as SharedArray;
  }
}
