/** Where an etcd is: `http(s)://HOST:PORT[/NAMESPACE]`, several of them with commas between. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface EtcdAddress {
  /** `https://etcd-1.example.org:2379`, without a path; at least one. */
  readonly endpoints: readonly string[];
  /** Set before every key, for several systems in one etcd; empty: none. */
  readonly namespace: string;
}

const namespacePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
const endpointsMax = 16;

/** @throws DynamosError INVALID_REQUEST that says which part is not as it should be, without what it holds of secrets */
export function parseEtcdAddress(text: string): EtcdAddress {
  const urls = text.split(",").map((part, i) => urlOf(part.trim(), i + 1));
  const [first] = urls;
  if (first === undefined || urls.length > endpointsMax) throw invalid(`there must be 1 to ${endpointsMax} of them`);
  const namespaces = new Set(urls.map(({ pathname }) => pathname.replace(/\/$/, "").slice(1)));
  const [namespace = ""] = namespaces;
  if (namespaces.size > 1) throw invalid("all of them must end in the same namespace");
  if (namespace !== "" && !namespacePattern.test(namespace)) {
    throw invalid(`the namespace after the port must be at most 63 of a-z, 0-9 and -`);
  }
  if (new Set(urls.map(({ protocol }) => protocol)).size > 1) throw invalid("use http:// or https:// for all of them");
  return { endpoints: [...new Set(urls.map(({ origin }) => origin))], namespace };
}

function urlOf(part: string, nth: number): URL {
  if (!/^https?:\/\//.test(part) || !URL.canParse(part)) throw invalid(`number ${nth} is not http(s)://HOST:PORT`);
  const url = new URL(part);
  if (url.username !== "" || url.password !== "") {
    throw invalid(`number ${nth} has a user or password in it: those are given apart`);
  }
  if (url.search !== "" || url.hash !== "") throw invalid(`number ${nth} must end after the port or the namespace`);
  return url;
}

function invalid(message: string): DynamosError {
  return new DynamosError(ErrorCode.INVALID_REQUEST, `the addresses of the knowledge base: ${message}`);
}
