/** Where the time of a request went, for its client: the `server-timing` header (W3C Server Timing), in milliseconds. */

export interface ServerTiming {
  /** What ended now, and began with the end of what was marked before it; the first with the request. */
  mark(name: "auth" | "body" | "query"): void;
  /** `auth;dur=0.4, body;dur=0.7, query;dur=85.2` */
  readonly header: string;
}

export function createServerTiming(now: () => number = () => performance.now()): ServerTiming {
  const marks: string[] = [];
  let since = now();
  return {
    mark: (name) => {
      const at = now();
      marks.push(`${name};dur=${Math.round((at - since) * 10) / 10}`);
      since = at;
    },
    get header() {
      return marks.join(", ");
    },
  };
}
