/** What the generated validators report, and how it is told to people. */

/** One error as ajv reports it; `params` depends on the keyword. */
export interface ValidationError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  /** Set where the error is about a property's name. */
  readonly propertyName?: string;
}

export type Validator = ((data: unknown) => boolean) & { errors?: readonly ValidationError[] | null };

/** What is wrong where: a JSON pointer (RFC 6901), empty for the whole document, and what was expected. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** So that a body of nonsense doesn't come back as a body of complaints. */
const problemsMax = 20;

/** Never holds a value of the document, only its paths and what was expected there. */
export function describeErrors(errors: readonly ValidationError[]): Problem[] {
  return errors
    .filter(({ keyword }) => keyword !== "propertyNames")
    .slice(0, problemsMax)
    .map((error) => ({ path: error.instancePath, message: messageOf(error) }));
}

function messageOf(error: ValidationError): string {
  const message = expected(error);
  return error.propertyName === undefined ? message : `property name ${shortened(error.propertyName)} ${message}`;
}

function expected({ keyword, params, message }: ValidationError): string {
  switch (keyword) {
    case "required":
      return `property ${params.missingProperty} is missing`;
    case "additionalProperties":
      return `property ${shortened(String(params.additionalProperty))} is not known here`;
    case "type":
      return `must be ${[params.type].flat().join(" or ")}`;
    case "enum":
      return `must be one of ${[params.allowedValues].flat().join(", ")}`;
    case "minLength":
    case "maxLength":
      return `must have at ${keyword === "minLength" ? "least" : "most"} ${params.limit} characters`;
    case "minItems":
    case "maxItems":
      return `must have at ${keyword === "minItems" ? "least" : "most"} ${params.limit} items`;
    case "maxProperties":
      return `must have at most ${params.limit} properties`;
    case "minimum":
    case "maximum":
      return `must be ${params.comparison} ${params.limit}`;
    case "pattern":
      return `must match ${params.pattern}`;
    default:
      return message ?? `fails ${keyword}`;
  }
}

function shortened(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
}

export function isJsonObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
