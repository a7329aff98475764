import type { Log, LogFields, LogLevel } from "#ports/log";

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface JsonLogOptions {
  /** Lower levels are left out. */
  readonly level: LogLevel;
  readonly fields?: LogFields;
  readonly write?: (line: string) => void;
}

/** JSON lines on standard error. */
export function jsonLog({ level, fields = {}, write = writeToStderr }: JsonLogOptions): Log {
  return {
    log: (lineLevel, message, more = {}) => {
      if (ranks[lineLevel] >= ranks[level]) {
        write(`${JSON.stringify({ time: new Date().toISOString(), level: lineLevel, message, ...fields, ...more })}\n`);
      }
    },
    with: (more) => jsonLog({ level, fields: { ...fields, ...more }, write }),
  };
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}
