/**
 * Which expressions may stand inside an aggregate of data whose rows nobody may see: a column, its
 * part, and sums, differences and products of those. Everything else can be made to be zero for all
 * rows but one, and then a sum over many is one row's value.
 */
import { constant, type Lineage } from "./lineage.ts";
import { type Tree, textOf } from "./tree.ts";

const sums: ReadonlySet<string> = new Set(["+", "-", "*", "add", "subtract", "multiply"]);
const divisions: ReadonlySet<string> = new Set(["/", "divide", "fdiv"]);
/** Of a column as it is: steps that are as wide as a unit of time, a letter or a digit. */
const parts: ReadonlySet<string> = new Set(
  "year month quarter day week dayofweek dayofyear isodow hour minute second decade century date_part datepart date_diff datediff epoch length char_length round abs".split(
    " ",
  ),
);
const fractionalTypes: ReadonlySet<string> = new Set(["DOUBLE", "FLOAT"]);

/** @returns how many columns there are in it, or infinity */
export function termsOf(tree: Tree, children: readonly Lineage[]): number {
  const total = children.reduce((sum, { terms }) => sum + terms, 0);
  if (total === 0) return 0;
  if (tree.class === "CAST") return castTerms(tree, children[0] ?? constant);
  if (tree.class !== "FUNCTION" || tree.filter) return Number.POSITIVE_INFINITY;
  const name = textOf(tree.function_name).toLowerCase();
  if (sums.has(name)) return total;
  if (divisions.has(name) && children[1]?.terms === 0) return total;
  return parts.has(name) && total === 1 && children.every(({ isColumn, terms }) => isColumn || terms === 0)
    ? 1
    : Number.POSITIVE_INFINITY;
}

/** To a type with fractions nothing is rounded. */
function castTerms({ cast_type: type }: Tree, { terms, isColumn }: Lineage): number {
  const id = typeof type === "object" && type !== null ? textOf((type as Tree).id) : "";
  return isColumn || fractionalTypes.has(id) ? terms : Number.POSITIVE_INFINITY;
}
