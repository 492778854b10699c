/** Values as YAML that go-yaml reads back as meant: etcd parses by YAML 1.1, where `no`, `12:30` and `1_000` are no strings. */
import { stringify } from 'yaml';

/** One line of YAML: strings always in double quotes, lists and mappings in flow style. */
export function yamlValue(value: unknown): string {
  // What JSON writes of it is what the library would, and most values are such.
  if (typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)) return JSON.stringify(value);
  return stringify(value, {
    version: '1.1',
    // Else the string `<<` stays bare, as a merge key.
    customTags: (tags) =>
      tags.filter((tag) => tag !== 'merge' && (typeof tag === 'string' || !/:merge$/.test(tag.tag))),
    lineWidth: 0,
    blockQuote: false,
    collectionStyle: 'flow',
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
  }).trimEnd();
}
