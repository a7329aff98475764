/**
 * Two made-up universities in the shape of the original's public tables. The same seed gives
 * the same bytes. Every value is drawn here; nothing is copied from anywhere.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDraw, type Draw } from "./draw.ts";

interface University {
  readonly party: string;
  readonly institution: string;
  readonly seed: number;
  readonly persons: number;
  /** How many scales a man's expected one is above a woman's. */
  readonly gap: number;
}

const universities: readonly University[] = [
  { party: "UVA", institution: "AAA", seed: 2104, persons: 3_000, gap: 1.1 },
  { party: "VU", institution: "DDD", seed: 1880, persons: 2_400, gap: 1.3 },
];

const referenceDates = ["20191231", "20201231"];
const faculties = ["ECON", "DIV", "NATU", "RECH", "G&M", "T&C"];
const nationalities = ["0001", "0001", "0001", "0001", "0055", "0052", "0027", "0000"];
const functionGroups = ["10620", "10720", "10930", "10940", "21510", "30210", "30310"];
const scaleMax = 18;
const scaleMin = 3;

const personColumns = [
  { name: "Instcode", title: "Institution" },
  { name: "Unieknr", title: "Person" },
  { name: "Geslacht", title: "Gender" },
  { name: "Gebdat", title: "Date of birth", anonymize: "year" },
  { name: "Nationaliteit", title: "Nationality", type: "text" },
  { name: "BKO", title: "Basic teaching qualification" },
  { name: "SKO", title: "Senior teaching qualification" },
  { name: "Peildat", title: "Reference date" },
];
const appointmentColumns = [
  { name: "Instcode", title: "Institution" },
  { name: "Unieknr", title: "Person" },
  { name: "Volgnrar", title: "Appointment" },
  { name: "Aadnstvb", title: "Permanent or temporary" },
  { name: "Ingdatdv", title: "Start date", anonymize: "year" },
  { name: "Eindatdv", title: "End date" },
  { name: "HOOPgeb", title: "Faculty" },
  { name: "Functcat", title: "Function group" },
  { name: "WelGeenHGL", title: "Professor" },
  { name: "Salschal", title: "Salary scale", unit: "scale" },
  { name: "Taakomv", title: "Size of the appointment", unit: "1/10,000 full time" },
  { name: "Aanst_22", title: "Kind of appointment" },
  { name: "Peildat", title: "Reference date" },
];

/** Documents for the knowledge base, one data set `wageGap` per party. */
export const demoDataSets = universities.map(({ party }) => ({
  name: "wageGap",
  party,
  type: "csv",
  delimiter: ";",
  tables: [
    { name: "Personen", file: `Personen_${party}.csv`, columns: personColumns },
    { name: "Aanstellingen", file: `Aanstellingen_${party}.csv`, columns: appointmentColumns },
  ],
  measure: { column: "Salschal", groupBy: ["Geslacht"] },
}));

/** Writes `Personen_UVA.csv`, `Aanstellingen_UVA.csv` and the same of VU. */
export async function writeDemoData(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const university of universities) {
    const { persons, appointments } = tablesOf(university);
    await writeFile(join(folder, `Personen_${university.party}.csv`), csv(personColumns, persons));
    await writeFile(join(folder, `Aanstellingen_${university.party}.csv`), csv(appointmentColumns, appointments));
  }
}

function tablesOf({ institution, seed, persons: count, gap }: University) {
  const draw = createDraw(seed);
  const persons: string[][] = [];
  const appointments: string[][] = [];
  for (let i = 0; i < count; i++) {
    const id = String(1_000 + i * 7 + draw.below(7));
    const gender = draw.chance(0.53) ? "V" : "M";
    const born = 1_955 + draw.below(42);
    const nationality = draw.oneOf(nationalities);
    const career = careerOf(draw, gender === "M" ? gap : 0, born);
    for (const date of referenceDates) {
      if (draw.chance(0.12)) continue;
      persons.push([institution, id, gender, `${born}0101`, nationality, flag(draw, 0.3), flag(draw, 0.08), date]);
      appointments.push([institution, id, "1", ...career.before, String(career.scale), ...career.after, date]);
    }
  }
  return { persons, appointments };
}

/** What stays the same over the reference dates. */
function careerOf(draw: Draw, ahead: number, born: number) {
  const seniority = (1_997 - born) / 12;
  const scale = Math.round(7 + ahead + seniority + draw.around(2.2));
  const isPermanent = draw.chance(0.6);
  const started = Math.min(2_018, born + 26 + draw.below(25));
  return {
    scale: Math.max(scaleMin, Math.min(scaleMax, scale)),
    before: [
      isPermanent ? "V" : "T",
      `${started}0${1 + draw.below(9)}01`,
      isPermanent ? "99990101" : "20240101",
      draw.oneOf(faculties),
      draw.oneOf(functionGroups),
      scale >= 15 ? "1" : "0",
    ],
    after: [String((4 + draw.below(7)) * 1_000), isPermanent ? "V" : draw.oneOf(["T", "L", "K"])],
  };
}

function flag(draw: Draw, probability: number): string {
  return draw.chance(probability) ? "1" : "0";
}

function csv(columns: readonly { name: string }[], rows: readonly (readonly string[])[]): string {
  return [columns.map(({ name }) => name), ...rows].map((row) => `${row.join(";")}\r\n`).join("");
}
