export { DynamosError, type ErrorPlace, hasCode, toDynamosError } from "./dynamos-error.ts";
export { type Delivery, type ErrorRow, errorTable, labelOf, rowOf } from "./table.ts";
