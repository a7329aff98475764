import type { Log, LogFields, LogLevel } from "#ports/log";

/** JSON lines on standard error: standard output is for what the local gateway reads. */
export function jsonLog(
  fields: LogFields = {},
  write: (line: string) => void = (line) => process.stderr.write(line),
): Log {
  return {
    log(level: LogLevel, message: string, more: LogFields = {}) {
      write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...more })}\n`);
    },
    with: (more) => jsonLog({ ...fields, ...more }, write),
  };
}
