/** Whether a party has a broker user of its own: one that is named as the party. */

/** @returns that user; undefined: the URL's is another one, such as guest, which several parties share */
export function partyUserOf(url: string, party: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const user = new URL(url).username;
  return user === party.toLowerCase() ? user : undefined;
}
