/** Whether this command is one file, as in the image, or a checkout's sources. */
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);

/** The file that all of the command was bundled into; undefined: it runs from a checkout. */
export const bundleFile = here.endsWith(".ts") ? undefined : here;
