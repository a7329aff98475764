/**
 * Names with brackets in a query or a form, as the official template's library `qs` reads them:
 * `a=1&a=2` and `a[]=1&a[]=2` are lists, `a[b][c]=1` is an object in an object.
 */

export type FormValue = string | FormValue[] | { [name: string]: FormValue };

const pairsMax = 1_000;
const depthMax = 5;
const forbidden = new Set(["__proto__", "constructor", "prototype"]);

/** What is over the limits is left out, and so are names that would reach into objects' own machinery. */
export function nestedForm(text: string): Record<string, FormValue> {
  const form: Record<string, FormValue> = {};
  let pairs = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    pairs += 1;
    if (pairs > pairsMax) break;
    const path = pathOf(name);
    if (path.length > 0 && !path.some((part) => forbidden.has(part))) put(form, path, value);
  }
  return form;
}

/** `a[b][]` is a, b and the empty name. Brackets that do not fit are part of the name. */
function pathOf(name: string): string[] {
  const found = /^([^[\]]+)((?:\[[^[\]]*\])+)$/.exec(name);
  if (found === null) return name === "" ? [] : [name];
  const inner = [...(found[2] as string).matchAll(/\[([^[\]]*)\]/g)].map((match) => match[1] as string);
  if (inner.length <= depthMax) return [found[1] as string, ...inner];
  const rest = inner.slice(depthMax).map((part) => `[${part}]`);
  return [found[1] as string, ...inner.slice(0, depthMax), rest.join("")];
}

function put(into: Record<string, FormValue>, [name = "", ...rest]: readonly string[], value: string): void {
  const there = Object.hasOwn(into, name) ? into[name] : undefined;
  if (rest.length === 0 || (rest.length === 1 && rest[0] === "")) {
    if (rest.length === 0 && there === undefined) into[name] = value;
    else into[name] = [...(there === undefined ? [] : [there].flat()), value];
    return;
  }
  const next = typeof there === "object" && !Array.isArray(there) ? there : {};
  into[name] = next;
  put(next, rest, value);
}
