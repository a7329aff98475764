import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { folderOfImage } from "./image-folder.ts";

let built: string;
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), "dynamos-images-"));
  for (const name of ["sql-query", "sql-query@v2", "dynamos-own"]) {
    await mkdir(join(built, name));
    await writeFile(join(built, name, "index.js"), "");
  }
});
afterAll(() => rm(built, { recursive: true, force: true }));

it.each([
  ["dynamos-sql-query:latest", "sql-query"],
  ["dynamos-sql-query", "sql-query"],
  ["registry.example.org:5000/me/dynamos-sql-query:v1", "sql-query"],
  ["registry.example.org/dynamos-sql-query:v2", "sql-query@v2"],
  ["sql-query:v2@sha256:0123abcd", "sql-query@v2"],
  ["dynamos-own:v3", "dynamos-own"],
])("the image %s is the folder %s", (image, folder) => {
  expect(folderOfImage(image, built)).toBe(join(built, folder));
});

it.each([
  ["dynamos-absent:v1", "nothing of the name absent is built here (npm run build)"],
  ["dynamos-..:v1", "nothing of the name dynamos-.. is built here"],
  ["..", "is no name of an image"],
  ["", "is no name of an image"],
  ["a/b/", "is no name of an image"],
])("the image %j is refused", (image, message) => {
  expect(() => folderOfImage(image, built)).toThrow(message);
});
