import { expect, it } from "vitest";
import { parseEtcdAddress } from "./address.ts";

it.each([
  ["http://127.0.0.1:2379", ["http://127.0.0.1:2379"], ""],
  ["https://a:2379, https://b:2379/", ["https://a:2379", "https://b:2379"], ""],
  ["https://a:2379/trial,https://b:2379/trial", ["https://a:2379", "https://b:2379"], "trial"],
])("reads %s", (text, endpoints, namespace) => {
  expect(parseEtcdAddress(text)).toEqual({ endpoints, namespace });
});

it.each([
  ["a:2379", "number 1 is not http(s)://HOST:PORT"],
  ["http://a:1,,", "number 2 is not"],
  ["http://uva:secret@a:1", "number 1 has a user or password in it"],
  ["http://a:1/x,http://b:1/y", "same namespace"],
  ["http://a:1/X", "must be at most 63 of a-z, 0-9 and -"],
  ["http://a:1,https://b:1", "use http:// or https:// for all of them"],
  ["http://a:1?x", "must end after the port"],
])("says what is wrong with %s, without its secrets", (text, message) => {
  expect(() => parseEtcdAddress(text)).toThrow(message);
  expect(() => parseEtcdAddress(text)).not.toThrow("secret");
});
