/** Text of the user's or the engine's for a message: cut where a word ends, and seen to be cut. */

const charactersMax = 64;

/** At most `max` characters and `…`; a single long word is cut within. */
export function shorten(text: string, max = charactersMax): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  const end = Math.max(cut.lastIndexOf(" "), cut.lastIndexOf(","));
  return `${(end > 0 ? cut.slice(0, end) : cut).replace(/[ ,]+$/, "")}…`;
}
