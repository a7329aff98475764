/** Load at a pace of its own, whatever becomes of it: what is slow or refused holds nothing back. */
import { setTimeout as wait } from "node:timers/promises";

export interface Offered {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answered {
  /** 0: the connection was cut before the whole answer was there. */
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly ms: number;
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
}

/** Resolves when each has ended. */
export async function offer(load: Load, request: Offered): Promise<Answered[]> {
  const startedAt = performance.now();
  const all: Promise<Answered>[] = [];
  for (let i = 0; i < load.requests; i++) {
    const aheadMs = (i / load.perSecond) * 1_000 - (performance.now() - startedAt);
    if (aheadMs > 0) await wait(aheadMs);
    all.push(send(request));
  }
  return Promise.all(all);
}

/** How many a second come to their end while so many are always under way: what the machine can do. */
export async function measuredPace(requests: number, atOnce: number, request: Offered): Promise<number> {
  const startedAt = performance.now();
  let left = requests;
  const one = async () => {
    while (left-- > 0) await send(request);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return (requests * 1_000) / (performance.now() - startedAt);
}

async function send({ url, headers, body }: Offered): Promise<Answered> {
  const startedAt = performance.now();
  const ms = () => Math.round(performance.now() - startedAt);
  try {
    const response = await fetch(url, { method: "POST", headers, body });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, ms: ms() };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 0, headers: new Headers(), text: `${message}: ${String(cause)}`, ms: ms() };
  }
}
