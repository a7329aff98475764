import type { Log, LogFields, LogLevel } from "#ports/log";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface MemoryLog extends Log {
  readonly lines: readonly LogLine[];
}

/** Keeps its lines for tests to read. */
export function createMemoryLog(lines: LogLine[] = [], fields: LogFields = {}): MemoryLog {
  return {
    lines,
    log: (level, message, more = {}) => void lines.push({ level, message, fields: { ...fields, ...more } }),
    with: (more) => createMemoryLog(lines, { ...fields, ...more }),
  };
}
