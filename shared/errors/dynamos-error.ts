import { ErrorCode, type Failure } from "#contracts";
import { labelOf } from "./table.ts";

/** Where it happened, as far as the thrower knows. */
export interface ErrorPlace {
  readonly party?: string;
  readonly step?: string;
}

/**
 * The one error class. `message` is lower case, without a final stop, says what and
 * which, and holds no secret and no value from the data: it reaches the asker.
 */
export class DynamosError extends Error {
  override readonly name = "DynamosError";
  readonly code: ErrorCode;
  readonly party: string;
  readonly step: string;

  constructor(code: ErrorCode, message: string, options: ErrorPlace & { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.party = options.party ?? "";
    this.step = options.step ?? "";
  }

  get label(): string {
    return labelOf(this.code);
  }

  toFailure(place: ErrorPlace = {}): Failure {
    return {
      code: this.code,
      message: this.message,
      party: this.party || (place.party ?? ""),
      step: this.step || (place.step ?? ""),
    };
  }

  static fromFailure(failure: Failure): DynamosError {
    return new DynamosError(failure.code, failure.message, { party: failure.party, step: failure.step });
  }
}

export function hasCode(error: unknown, code: ErrorCode): error is DynamosError {
  return error instanceof DynamosError && error.code === code;
}

/**
 * Translates a foreign error once, at the border. Its own text is kept as the cause, for
 * the log, and never shown: it may hold paths or data.
 */
export function toDynamosError(error: unknown, code = ErrorCode.INTERNAL, message = "internal error"): DynamosError {
  return error instanceof DynamosError ? error : new DynamosError(code, message, { cause: error });
}
