/** A data set of one table, as worlds of tests know it. */

/** @param file absent: a file of the party's name; nobody reads it where steps are made up */
export function personenOf(party: string, file = `Personen_${party}.csv`) {
  const tables = [{ name: "Personen", file }];
  return {
    key: `/dataSets/${party}/wageGap`,
    value: { name: "wageGap", party, type: "csv", delimiter: ";", tables },
  };
}
