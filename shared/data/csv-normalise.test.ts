import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normaliseCsv } from "./csv-normalise.ts";

async function normalised(content: string | Buffer, chunkBytes = 65_536, delimiter = ";"): Promise<string> {
  const bytes = Buffer.from(content as string);
  const chunks = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  const blocks = [];
  for await (const block of normaliseCsv(Readable.from(chunks), { file: "f.csv", delimiter })) blocks.push(block);
  return Buffer.concat(blocks).toString("utf8");
}

describe("a CSV file", () => {
  it.each([
    ["LF", "a;b\n1;2\n3;4\n"],
    ["CRLF", "a;b\r\n1;2\r\n3;4\r\n"],
    ["CR", "a;b\r1;2\r3;4\r"],
    ["CR CR LF", "a;b\r\r\n1;2\r\r\n3;4\r\r\n"],
    ["CR CR LF after the header, then CR", "a;b\r\r\n1;2\r3;4\r"],
    ["no end at all", "a;b\n1;2\n3;4"],
    ["a byte order mark", "\ufeffa;b\n1;2\n3;4\n"],
    ["blank lines", "\n\na;b\n\n1;2\n\n\n3;4\n\n"],
  ])("with %s has the same records", async (_, content) => {
    expect(await normalised(content)).toBe("a;b\n1;2\n3;4\n");
  });

  it("with any mixture of line ends has the same records, however it is cut into chunks", async () => {
    const lineEnd = fc.constantFrom("\n", "\r\n", "\r", "\r\r\n");
    const value = fc.constantFrom("", "x", "00", "é", '"quoted"', '"a;b"', '"a""b"', '"line\r\nbreak"', "🙂");
    const records = fc.array(fc.tuple(value, fc.constantFrom("1", "2"), lineEnd), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 9 }), async (rows, chunkBytes) => {
        const content = `h1;h2\n${rows.map(([a, b, end]) => `${a};${b}${end}`).join("")}`;
        expect(await normalised(content, chunkBytes)).toBe(`h1;h2\n${rows.map(([a, b]) => `${a};${b}\n`).join("")}`);
      }),
    );
  });

  it("keeps a quote inside an unquoted field as data", async () => {
    expect(await normalised('a;b\n5" disk;x"y\n')).toBe('a;b\n"5"" disk";"x""y"\n');
  });

  it.each([
    ["too few fields", "a;b\n1;2\n3\n", "f.csv, row 3, column 1: 1 field, the header has 2"],
    ["too many fields", "a;b\n1;2;3\n", "f.csv, row 2, column 3: 3 fields, the header has 2"],
    ["a quote that is not closed", 'a;b\n1;"2\n3;4\n', "f.csv, row 2, column 2: a quote is not closed"],
    ["text after a closing quote", 'a;b\n"1"x;2\n', "f.csv, row 2, column 1: there is text after a closing quote"],
    [
      "a character that is not UTF-8",
      Buffer.from("a;b\n1;\xff\n", "latin1"),
      "f.csv, row 2, column 2: a character is not UTF-8",
    ],
    ["nothing in it", "", "f.csv is empty: a header is needed"],
  ])("with %s is refused by row and column", async (_, content, message) => {
    await expect(normalised(content)).rejects.toMatchObject({ label: "DATA_UNREADABLE", message });
  });

  it("never has its values in an error", async () => {
    await expect(normalised("a;b\nSECRET\n")).rejects.toSatisfy((error) => !String(error).includes("SECRET"));
  });

  it.each(["", ";;", '"', "\n", "é"])("can't have %j as its delimiter", async (delimiter) => {
    await expect(normalised("a;b\n", 10, delimiter)).rejects.toMatchObject({ label: "DATA_UNREADABLE" });
  });
});
