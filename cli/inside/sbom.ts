/**
 * What is in a bundle, for machines: a CycloneDX 1.6 document (ECMA-424). Equal bundles have equal
 * documents: no time, no random serial number, everything in order.
 */
import { createHash } from "node:crypto";
import { allowedLicences } from "./allowed-licences.ts";
import type { InsidePackage } from "./packages-inside.ts";

export interface SbomSubject {
  /** Of the function, or `dynamos`. */
  readonly name: string;
  /** Whose it is; absent: not known. */
  readonly group?: string;
  readonly version?: string | undefined;
  /** SPDX expression; absent: not said. */
  readonly licence?: string | undefined;
  /** What each of its files has from this project; absent: it is the project's own. */
  readonly runtime?: { readonly name: string; readonly version: string; readonly licence: string };
  /** Files of the bundle and the SHA-256 of each, in hexadecimal. */
  readonly files: Readonly<Record<string, string>>;
  readonly packages: readonly InsidePackage[];
}

/** @returns JSON text */
export function sbomOf({ files, packages, runtime, ...subject }: SbomSubject): string {
  const fileNames = Object.keys(files).sort();
  const application = ownComponent("application", subject);
  const framework = runtime === undefined ? [] : [ownComponent("framework", runtime)];
  const components = [
    ...framework,
    ...fileNames.map((file) => ({
      type: "file",
      "bom-ref": fileRef(file),
      name: file,
      hashes: [{ alg: "SHA-256", content: files[file] }],
    })),
    ...packages.map(componentOf),
  ];
  const dependencies = [
    { ref: application["bom-ref"], dependsOn: fileNames.map(fileRef) },
    ...fileNames.map((file) => ({
      ref: fileRef(file),
      dependsOn: [
        ...framework.map((one) => one["bom-ref"]),
        ...packages.filter(({ holders }) => holders.includes(file)).map(purlOf),
      ],
    })),
  ];
  const content = { metadata: { lifecycles: [{ phase: "build" }], component: application }, components, dependencies };
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function ownComponent(type: string, { group, name, version, licence }: Omit<SbomSubject, "files" | "packages">) {
  return {
    type,
    "bom-ref": `${group === undefined ? "" : `${group}/`}${name}${version === undefined ? "" : `@${version}`}`,
    ...(group === undefined ? {} : { group }),
    name,
    ...(version === undefined ? {} : { version }),
    ...(licence === undefined ? {} : { licenses: licencesOf(licence) }),
  };
}

function componentOf(inside: InsidePackage) {
  const [, group, name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(inside.name) ?? [];
  return {
    type: "library",
    "bom-ref": purlOf(inside),
    ...(group === undefined ? {} : { group }),
    name,
    version: inside.version,
    scope: "required",
    ...(inside.sha512 === undefined ? {} : { hashes: [{ alg: "SHA-512", content: inside.sha512 }] }),
    licenses: licencesOf(inside.licence),
    purl: purlOf(inside),
  };
}

/** https://github.com/package-url/purl-spec: of type npm; the scope's `@` is percent-encoded. */
function purlOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
}

/** An id must be one of SPDX's list; of that, those that we know. Anything else goes by its name. */
function licencesOf(expression: string) {
  const words = expression.match(/[^\s()]+/g) ?? [];
  const isKnown = words.every((word) => ["AND", "OR", ...allowedLicences].includes(word));
  if (!isKnown) return [{ license: { name: expression } }];
  return words.length > 1 ? [{ expression }] : [{ license: { id: words[0] } }];
}

function fileRef(file: string): string {
  return `file:${file}`;
}

/** RFC 9562, version 8: what is in it says which it is. */
function uuidOf(content: string): string {
  const bytes = createHash("sha256").update(content).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
