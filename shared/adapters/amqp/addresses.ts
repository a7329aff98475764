/** Where a RabbitMQ is: one URL, or those of a cluster's nodes with commas between. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

const nodesMax = 16;

/**
 * The nodes in the order in which they are tried. A comma inside a password is none between nodes.
 * @throws DynamosError INVALID_REQUEST, without what it holds of secrets
 */
export function brokerUrls(text: string): string[] {
  const urls = text.split(/\s*,\s*(?=amqps?:\/\/)/i).map((url) => url.trim());
  if (urls.length === 1) return urls;
  if (urls.length > nodesMax) throw invalid(`there must be 1 to ${nodesMax} of them`);
  const nth = urls.findIndex((url) => !URL.canParse(url)) + 1;
  if (nth > 0) throw invalid(`number ${nth} is not amqp(s)://USER:PASSWORD@HOST:PORT/VHOST`);
  const parsed = urls.map((url) => new URL(url));
  const same = { protocol: "amqp:// or amqps://", username: "user", password: "password", pathname: "vhost" } as const;
  for (const [part, word] of Object.entries(same)) {
    const values = new Set(parsed.map((url) => url[part as keyof typeof same].replace(/^\/$/, "")));
    if (values.size > 1) throw invalid(`all of them must have the same ${word}`);
  }
  return urls;
}

function invalid(message: string): DynamosError {
  return new DynamosError(ErrorCode.INVALID_REQUEST, `the URLs of the broker: ${message}`);
}
