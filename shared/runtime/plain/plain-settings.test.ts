import { expect, it } from "vitest";
import { readPlainSettings } from "./plain-settings.ts";

it("has the official template's names, and a megabyte where they are not set", () => {
  expect(readPlainSettings({})).toMatchObject({ rawBody: false, jsonBytesMax: 1_048_576, execMs: 30_000 });
  const set = readPlainSettings({
    RAW_BODY: "true",
    MAX_JSON_SIZE: "100kb",
    MAX_RAW_SIZE: "2MB",
    exec_timeout: "1m30s",
  });
  expect(set).toEqual({
    rawBody: true,
    jsonBytesMax: 102_400,
    otherBytesMax: 2_097_152,
    bodyBytesMax: 2_097_152,
    execMs: 90_000,
  });
});

it("ends a call also where the watchdog's limit is off", () => {
  expect(readPlainSettings({ exec_timeout: "0" }).execMs).toBe(3_600_000);
});

it.each([
  ["MAX_JSON_SIZE", "much"],
  ["MAX_RAW_SIZE", "1gb"],
  ["MAX_RAW_SIZE", "65mb"],
  ["exec_timeout", "soon"],
])("does not start with %s=%s", (name, value) => {
  expect(() => readPlainSettings({ [name]: value })).toThrow(`environment variable ${name} must be`);
});
