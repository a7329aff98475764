/** Whether a party has a broker user of its own: one that is named as the party. */
import { brokerUrls } from "./addresses.ts";

/**
 * @param broker one URL, or those of a cluster's nodes
 * @returns that user; undefined: the URL's is another one, such as guest, which several parties share
 */
export function partyUserOf(broker: string, party: string): string | undefined {
  const [url = ""] = brokerUrls(broker);
  if (!URL.canParse(url)) return undefined;
  const user = new URL(url).username;
  return user === party.toLowerCase() ? user : undefined;
}
