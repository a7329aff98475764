/** SVG as text. Whatever comes from data or from names is escaped here and nowhere else. */

type Attributes = Readonly<Record<string, string | number>>;

/** One element; `content` is markup that this file made. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(coordinate(value))}"`);
  return content === "" ? `<${name}${list.join("")}/>` : `<${name}${list.join("")}>${content}</${name}>`;
}

export function text(content: string, attributes: Attributes): string {
  return element("text", attributes, escaped(content) || " ");
}

/** A title for whoever hears the chart or points at a part of it. */
export function titled(content: string): string {
  return `<title>${escaped(content)}</title>`;
}

export function escaped(content: string): string {
  return (
    content
      .replace(/[\uD800-\uDFFF]/gu, "\uFFFD")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write these.
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\uFFFD")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;")
  );
}

/** By letters, not by halves of them. */
export function shortened(content: string, lettersMax: number): string {
  const letters = Array.from(content);
  return letters.length <= lettersMax ? content : `${letters.slice(0, lettersMax - 1).join("")}…`;
}

function coordinate(value: string | number): string {
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
}
