// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text of somebody else's on a terminal: no control characters, and not without end. */
export function shownText(text: string, charsMax = 160): string {
  const plain = text.replace(controlCharacters, " ");
  return plain.length > charsMax ? `${plain.slice(0, charsMax - 1)}…` : plain;
}
