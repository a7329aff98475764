/** Where the system is, who asks and how much: from `-e NAME=value` of `k6 run`. */

/** Without a slash at its end. */
export const gateway = text("GATEWAY", "http://127.0.0.1:8080").replace(/\/+$/, "");
export const api = `${gateway}/function/orchestrator/v1`;

/** Researcher's bearer token: `npx dynamos token --expires 24h` for a system on this machine. */
export function researcherToken(): string {
  return needed("TOKEN");
}

/** Of the steward whose agreement is changed: `npx dynamos token --role steward --party UVA`. */
export function stewardToken(): string {
  return needed("STEWARD_TOKEN");
}

/** @throws Error where there is a value that is no number above 0 */
export function number(name: string, otherwise: number): number {
  const value = Number(text(name, String(otherwise)));
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) {
    throw new Error(`-e ${name}=${text(name, "")}: must be a number above 0`);
  }
  return value;
}

/** @param otherwise in k6's manner: `30s`, `1m30s` */
export function duration(name: string, otherwise: string): string {
  const value = text(name, otherwise);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(value)) {
    throw new Error(`-e ${name}=${value}: must be a duration such as 30s or 1m30s`);
  }
  return value;
}

function needed(name: string): string {
  const value = text(name, "");
  if (value === "") throw new Error(`-e ${name}=… is missing: load-tests/README.md says which token it is`);
  return value;
}

function text(name: string, otherwise: string): string {
  const value = __ENV[name];
  return value === undefined || value === "" ? otherwise : value;
}
