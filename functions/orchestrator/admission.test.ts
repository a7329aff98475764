import { describe, expect, it } from "vitest";
import { createAdmission } from "./admission.ts";

const timeoutMs = 30_000;

/** `count` queries that run at once, one ending each `gapMs`. @returns the time when the last has ended */
function load(admission: ReturnType<typeof createAdmission>, count: number, gapMs: number, fromMs = 0): number {
  for (let i = 0; i < count; i++) admission.start(fromMs, timeoutMs);
  for (let i = 1; i <= count; i++) admission.ended(fromMs + i * gapMs, true);
  return fromMs + count * gapMs;
}

function takenAt(admission: ReturnType<typeof createAdmission>, nowMs: number): number {
  let taken = 0;
  while (taken < 1_000 && admission.start(nowMs, timeoutMs) === undefined) taken += 1;
  return taken;
}

describe("admission", () => {
  it("takes as many as end within the share of their time that the measured pace allows", () => {
    const admission = createAdmission(256);
    // One a second: 15 of them end in 15 s, half of 30 s.
    const now = load(admission, 20, 1_000);
    expect(takenAt(admission, now)).toBe(15);
  });

  it("says when to come back, from the pace", () => {
    const admission = createAdmission(256);
    const now = load(admission, 20, 1_000);
    takenAt(admission, now);
    expect(admission.start(now, timeoutMs)).toMatchObject({ retryAfterS: 1 });
    expect(admission.start(now, 10_000)).toMatchObject({ retryAfterS: 11 });
  });

  it("takes all up to the limit while they end fast", () => {
    const admission = createAdmission(256);
    expect(takenAt(admission, load(admission, 20, 20))).toBe(256);
  });

  it("learns nothing from queries that ran alone, however long they took", () => {
    const admission = createAdmission(256);
    for (let i = 0; i < 50; i++) {
      admission.start(i * 20_000, timeoutMs);
      admission.ended(i * 20_000 + 20_000, true);
    }
    expect(takenAt(admission, 2_000_000)).toBe(24);
  });

  it("takes a few whatever the pace, so that it notices when things get better", () => {
    const admission = createAdmission(256);
    let now = load(admission, 20, 20_000);
    expect(takenAt(admission, now)).toBe(8);
    for (let i = 0; i < 8; i++) admission.ended(now + 10, true);
    now = 10_000_000;
    for (let round = 0; round < 80; round++) {
      for (let i = 0; i < 8; i++) admission.start(now, timeoutMs);
      for (let i = 0; i < 8; i++) admission.ended(now + 10 * (i + 1), true);
      now += 1_000;
    }
    expect(takenAt(admission, now)).toBe(256);
  });

  it("does not take those that only came to their deadline for answered ones", () => {
    const admission = createAdmission(256);
    for (let i = 0; i < 20; i++) admission.start(0, timeoutMs);
    for (let i = 1; i <= 10; i++) admission.ended(i * 1_500, true);
    for (let i = 0; i < 10; i++) admission.ended(15_000, false);
    // Ten in 15 s, half of 30 s.
    expect(takenAt(admission, 15_000)).toBe(10);
  });

  it("notices a standstill while it goes on", () => {
    const admission = createAdmission(256);
    const now = load(admission, 20, 20);
    for (let i = 0; i < 50; i++) admission.start(now, timeoutMs);
    expect(admission.start(now + 1_000, timeoutMs)).toBeUndefined();
    expect(admission.start(now + 25_000, timeoutMs)).toMatchObject({ message: expect.stringContaining("are running") });
  });

  it("never takes more than the limit", () => {
    const admission = createAdmission(3);
    expect(takenAt(admission, 0)).toBe(3);
    expect(admission.start(0, timeoutMs)).toMatchObject({ retryAfterS: 1 });
    admission.ended(1, true);
    expect(admission.start(1, timeoutMs)).toBeUndefined();
  });
});
