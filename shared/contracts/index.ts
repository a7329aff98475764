/** Every shape that crosses a border. Source: proto/dynamos/v1; `npm run contracts` regenerates gen/. */
export {
  Archetype,
  Column,
  DataSet,
  Knowledge,
  Measure,
  Party,
  RequestType,
  Step,
  TableDescription,
  Usage,
} from "./gen/dynamos/v1/catalogue.ts";
export {
  Cancel,
  Chart,
  Chunk,
  Comparison,
  Document,
  Envelope,
  FanOut,
  Forward,
  HopRecord,
  Input,
  Outcome,
  Part,
  Payload,
  Piece,
  Reply,
  Result,
  Table,
  Transfer,
} from "./gen/dynamos/v1/envelope.ts";
export { ErrorCode, Failure } from "./gen/dynamos/v1/error.ts";
export { Chain, Choice, Considered, PartyLoad, Plan, Role } from "./gen/dynamos/v1/plan.ts";
export {
  Agreement,
  Approval,
  ColumnList,
  Decision,
  NameList,
  QueryQuota,
  Reason,
  Refusal,
  Relation,
  RowFilter,
  TableColumns,
  Terms,
  Verdict,
} from "./gen/dynamos/v1/policy.ts";
export { Algorithm, DataRevision, Query, Reuse, User } from "./gen/dynamos/v1/query.ts";
