import { textOf } from "./request-options.ts";

/** @param option as it was given, before the file's name. @throws Error with a sentence */
export async function jsonOf(option: string, file: string): Promise<unknown> {
  const text = await textOf(option, file);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${option}${file}: the file is not JSON`);
  }
}
