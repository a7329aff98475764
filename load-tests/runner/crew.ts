/** The virtual users of a run: started when they are needed, used again, ended together. */
import type { VirtualUser } from "./virtual-user.ts";

export interface Crew {
  /** One that has nothing to do, started if all have; undefined: there are as many as may be. */
  take(): Promise<VirtualUser | undefined>;
  giveBack(user: VirtualUser): void;
  end(): Promise<void>;
}

/** @param usersMax threads cost some 10 MB each */
export function createCrew(start: (id: number) => Promise<VirtualUser>, usersMax: number): Crew {
  const idle: VirtualUser[] = [];
  const all: VirtualUser[] = [];
  let started = 0;
  return {
    async take() {
      const waiting = idle.pop();
      if (waiting !== undefined) return waiting;
      if (started >= usersMax) return undefined;
      started += 1;
      const user = await start(started);
      all.push(user);
      return user;
    },
    giveBack: (user) => void idle.push(user),
    end: async () => void (await Promise.all(all.map((user) => user.end()))),
  };
}
