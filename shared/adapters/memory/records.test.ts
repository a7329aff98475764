import { recordsContract } from "#testing/records-contract";
import { createMemoryRecords } from "./records.ts";

recordsContract(async () => {
  const records = createMemoryRecords({ party: "UVA", instance: "one" });
  return {
    records,
    publicKey: records.publicKey,
    breakIt: async () => {
      records.isBroken = true;
    },
    mend: async () => {
      records.isBroken = false;
    },
    remove: async () => {},
  };
});
