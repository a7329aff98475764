import { disguises } from "./disguises.ts";
import type { Family } from "./family.ts";
import { forbiddenColumns } from "./forbidden-columns.ts";
import { oddConstructs } from "./odd-constructs.ts";
import { reachOutside } from "./reach-outside.ts";
import { statements } from "./statements.ts";
import { tellingErrors } from "./telling-errors.ts";

export const attacks: readonly Family[] = [
  ...forbiddenColumns,
  ...disguises,
  ...statements,
  ...reachOutside,
  ...oddConstructs,
  ...tellingErrors,
];
