/** That each organisation's part can be told apart: names, topics, parties. */
import { exchangeParty, partyOf } from "./parties.ts";
import type { Stack, StackFunction } from "./read-stack.ts";

export function partFaults({ functions }: Stack): string[] {
  return [...functions.flatMap(nameFaults), ...functions.flatMap(topicFaults), ...sharedTopics(functions)];
}

/** `--filter "uva-*"` is to choose all of UVA's functions; those of the exchange are chosen by their names. */
function nameFaults(fn: StackFunction): string[] {
  const party = partyOf(fn);
  const prefix = `${party.toLowerCase()}-`;
  if (party === exchangeParty || fn.name.startsWith(prefix)) return [];
  return [`functions.${fn.name}: a function of ${party} has a name that begins with ${prefix}`];
}

/** The sidecar of a party serves the topics that begin with its name, and no other's. */
function topicFaults(fn: StackFunction): string[] {
  const owner = partyOf(fn).toLowerCase();
  return topicsOf(fn)
    .filter((topic) => !/^[a-z0-9][-a-z0-9]*\.[a-z0-9][-.a-z0-9]*$/.test(topic) || !topic.startsWith(`${owner}.`))
    .map((topic) => `functions.${fn.name}.annotations.topic: ${topic} must be ${owner}. and the step's name`);
}

function sharedTopics(functions: readonly StackFunction[]): string[] {
  const first = new Map<string, string>();
  return functions.flatMap((fn) =>
    topicsOf(fn).flatMap((topic) => {
      const other = first.get(topic) ?? fn.name;
      first.set(topic, other);
      return other === fn.name
        ? []
        : [`functions.${fn.name}.annotations.topic: ${topic} is served by ${other} already`];
    }),
  );
}

function topicsOf({ annotations }: StackFunction): string[] {
  return (annotations.topic ?? "")
    .split(",")
    .map((topic) => topic.trim())
    .filter((topic) => topic !== "");
}
