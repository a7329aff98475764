/**
 * What is in a bundle, for machines: a CycloneDX 1.6 document (ECMA-424). Equal bundles have equal
 * documents: no time, no random serial number, everything in order.
 */
import { createHash } from "node:crypto";
import type { InsidePackage } from "./packages-inside.ts";

export interface SbomSubject {
  /** Of the function, or `dynamos`. */
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Files of the bundle and the SHA-256 of each, in hexadecimal. */
  readonly files: Readonly<Record<string, string>>;
  readonly packages: readonly InsidePackage[];
}

/** @returns JSON text */
export function sbomOf({ name, version, licence, files, packages }: SbomSubject): string {
  const fileNames = Object.keys(files).sort();
  const application = {
    type: "application",
    "bom-ref": `dynamos-faas/${name}@${version}`,
    group: "dynamos-faas",
    name,
    version,
    licenses: licencesOf(licence),
  };
  const components = [
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
      dependsOn: packages.filter(({ holders }) => holders.includes(file)).map(purlOf),
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

function componentOf(inside: InsidePackage) {
  const [, group, name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(inside.name) ?? [];
  return {
    type: "library",
    "bom-ref": purlOf(inside),
    ...(group === undefined ? {} : { group }),
    name,
    version: inside.version,
    scope: "required",
    hashes: [{ alg: "SHA-512", content: inside.sha512 }],
    licenses: licencesOf(inside.licence),
    purl: purlOf(inside),
  };
}

/** https://github.com/package-url/purl-spec: of type npm; the scope's `@` is percent-encoded. */
function purlOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
}

function licencesOf(expression: string) {
  return /[\s()]/.test(expression) ? [{ expression }] : [{ license: { id: expression } }];
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
