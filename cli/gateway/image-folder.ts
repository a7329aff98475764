/** Where the local gateway has what an image holds. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const reference = /^(?:[^/]+\/)*([a-z0-9][-._a-z0-9]*?)(?::([\w][-.\w]{0,127}))?(?:@[a-z0-9]+:[0-9a-f]+)?$/;

/**
 * The bundle of an image by its name: `registry/me/dynamos-sql-query:v2` is `sql-query@v2` where there is such a
 * folder, else `sql-query`: then every tag is what was built last.
 *
 * @throws RangeError with a sentence when nothing of that name is built
 */
export function folderOfImage(image: string, buildDir: string): string {
  const [, name, tag] = reference.exec(image) ?? [];
  if (name === undefined) throw new RangeError(`image ${image}: is no name of an image`);
  const names = [name, name.replace(/^dynamos-(?=[a-z0-9])/, "")];
  const folders = names.flatMap((one) => (tag === undefined ? [one] : [`${one}@${tag}`, one]));
  const found = folders.find((folder) => existsSync(join(buildDir, folder, "index.js")));
  if (found !== undefined) return join(buildDir, found);
  throw new RangeError(`image ${image}: nothing of the name ${names.at(-1)} is built here (npm run build)`);
}
