/** ETags in conditions: RFC 9110 sections 8.8.3 and 13.1. */

export interface EntityTag {
  readonly weak: boolean;
  /** Between the quotes. */
  readonly value: string;
}

/** @returns undefined when the field is not a list of tags; `*` is for the caller */
export function entityTags(field: string): EntityTag[] | undefined {
  const tags: EntityTag[] = [];
  const tag = /[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)/gy;
  let end = 0;
  for (let match = tag.exec(field); match !== null; match = tag.exec(field)) {
    tags.push({ weak: match[1] !== undefined, value: match[2] ?? "" });
    end = tag.lastIndex;
  }
  return tags.length > 0 && /^[ \t,]*$/.test(field.slice(end)) ? tags : undefined;
}

/** For If-None-Match: a weak tag is good enough to say that nothing has changed. */
export function hasTag(field: string | undefined, value: string): boolean {
  if (field === undefined) return false;
  return field.trim() === "*" || (entityTags(field) ?? []).some((tag) => tag.value === value);
}
