/**
 * Queries for tests, over Personen(Unieknr, Geslacht, Gebdat, Naam) and Aanstellingen(Unieknr,
 * Salschal, Bedrag, Aanst_22, Functcat).
 * What is there but not permitted: the column bsn of Personen, the table Geheim(wat), the person with number 999.
 */
export interface Family {
  readonly name: string;
  /** Each must be refused, and what is said of it must hold no value of the data. */
  readonly attacks: readonly string[];
}
