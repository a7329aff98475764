/** How a process ended, as wait(2) gives it: the signal in the low seven bits, else the exit code above them. */
export function partsOfStatus(status: number): { readonly signal: number; readonly exitCode: number } {
  return { signal: status & 0x7f, exitCode: (status >> 8) & 0xff };
}
