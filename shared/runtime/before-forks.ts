/** What a parent does once, after its rehearsal, because each of its children would have to do it. */
import { randomFillSync } from "node:crypto";
import { closeSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { type ForkCalls, socketAddress } from "./fork-calls.ts";
import { setupBytes, tokenChars } from "./fork-protocol.ts";
import { becomeChild } from "./forked-child.ts";
import { useUpHeldRandomness } from "./held-randomness.ts";

/** V8 remembers which kinds of objects a function meets only after it was called some eight times. */
export const rehearsals = 12;

/** @throws Error where it can't */
export function prepareForForks(calls: ForkCalls): void {
  for (let time = 0; time < rehearsals; time++) rehearseChild(calls);
  endAtOnce(calls);
  forgetDrawn();
  useUpHeldRandomness();
}

/** The first acts of a child with calls that change nothing here, so that each child finds them compiled. */
function rehearseChild(calls: ForkCalls): void {
  const nowhere = socketAddress("/nowhere");
  const [door, output] = [calls.socketPair(), calls.socketPair()];
  writeSync(door[1], setupBytes({ folder: tmpdir(), environment: { ...process.env } as Record<string, string> }));
  const connecting = [door[0], output[0]];
  const nothing = () => 0;
  const connectTo = () => connecting.shift() ?? -1;
  becomeChild(
    { parentPid: calls.getppid(), selfTest: false, token: " ".repeat(tokenChars) },
    {
      calls: { ...calls, prctl: nothing, setsid: nothing, dup3: nothing, adoptLoop: nothing, connectTo },
      rights: [],
      door: nowhere,
      answers: 0,
    },
  );
  for (const [, far] of [door, output]) closeSync(far);
  calls.connectTo(nowhere);
}

/** Node's own way out waits for threads that only the parent has. */
function endAtOnce(calls: ForkCalls): void {
  const leave = process as unknown as { reallyExit: (code?: number) => void };
  leave.reallyExit = (code) => calls.exitNow(code ?? 0);
  process.on("uncaughtException", (error) => {
    writeSync(2, `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    calls.exitNow(1);
  });
}

const words = new Uint32Array(128);
let wordsUsed = words.length;

/**
 * Math.random has its seed from the parent and no function to give it another: it draws from the system. Before the
 * rehearsals: whatever V8 has compiled that calls a function of Math, it throws away when one of them changes.
 */
export function drawFromSystem(): void {
  Math.random = () => {
    if (wordsUsed === words.length) {
      randomFillSync(words);
      wordsUsed = 0;
    }
    const [high, low] = [words[wordsUsed] as number, words[wordsUsed + 1] as number];
    wordsUsed += 2;
    return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 0x20000000000000;
  };
}

/** What is drawn and not used yet, each child would have. */
function forgetDrawn(): void {
  wordsUsed = words.length;
}
