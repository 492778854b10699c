/** What zod found, as complaints that people can act on. */
import type * as z from 'zod/mini';
import { nearest } from '../domain/nearest.ts';
import type { Path } from './complaint.ts';
import { explainUnknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;

/** A complaint that has not been looked up in the text yet. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** What the message is said about: the value (shown, unless `hidden`) or the key, put before it; with `none` it needs no subject. */
  readonly subject: 'value' | 'key' | 'hidden' | 'none';
  /** Where to point: the value by default. */
  readonly at?: 'key';
}

/** The findings of one issue: one for each unknown key. `value` is what was checked, from the root. */
export function explainIssue(issue: Issue, value: unknown, base: Path = []): readonly Finding[] {
  const path = [...base, ...issue.path.map(toPart)];
  const actual = valueAt(value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], issue.message.split(' ')));
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, message, subject: 'key', at: 'key' }));
    case 'invalid_union':
      return explainUnion(issue, value, path);
    case 'custom':
      return [{ path, message: issue.message, subject: customSubject(issue.params, actual) }];
    case 'invalid_value':
      return [
        actual === undefined || actual === null
          ? absent(path, actual)
          : wrongWord(path, issue.values.map(String), actual),
      ];
    case 'invalid_type':
      return [
        actual === undefined || actual === null ? absent(path, actual) : wrongKind(path, [issue.expected], actual),
      ];
    default:
      return [{ path, message: `is not right: ${issue.code}`, subject: 'value' }];
  }
}

/** The value at a path of plain data; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = Reflect.get(current, part);
  }
  return current;
}

function unknownKey(path: Path, known: readonly string[]): Finding {
  return { path, message: explainUnknownKey(path, known), subject: 'none', at: 'key' };
}

function explainUnion(issue: z.core.$ZodIssueInvalidUnion, value: unknown, path: Path): readonly Finding[] {
  const actual = valueAt(value, path);
  if (actual === undefined || actual === null) return [absent(path, actual)];
  if ('options' in issue && Array.isArray(issue.options)) return [wrongWord(path, issue.options.map(String), actual)];
  const fitting = issue.errors.find((branch) => !branch.some((each) => each.path.length === 0 && isMismatch(each)));
  if (fitting !== undefined) return fitting.flatMap((each) => explainIssue(each, value, path));
  const mismatches = issue.errors.flat();
  const words = mismatches.flatMap((each) => (each.code === 'invalid_value' ? each.values.map(String) : []));
  if (words.length > 0 && typeof actual !== 'object') return [wrongWord(path, words, actual)];
  const kinds = mismatches.flatMap((each) => (each.code === 'invalid_type' ? [each.expected] : []));
  return [wrongKind(path, words.length > 0 ? ['string', ...kinds] : kinds, actual)];
}

function isMismatch(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function absent(path: Path, actual: unknown): Finding {
  const key = String(path.at(-1) ?? '');
  if (actual === null) return { path, message: 'has no value (write one, or delete the line)', subject: 'none' };
  const example = examples[key];
  return { path, message: `is missing (write ${key}: ${example ?? '…'})`, subject: 'none' };
}

const examples: Readonly<Record<string, string>> = {
  apiVersion: 'quorate/v1',
  cluster: '{name: NAME, version: 3.6.16}',
  controllers: '{controller-1: {address: 10.0.0.1}}',
  name: 'NAME',
  version: '3.6.16',
  address: '10.0.0.1',
  source: 'release',
  url: 'https://mirror.example.org/etcd',
  path: './etcd-v3.6.16-linux-amd64.tar.gz',
  passwordEnv: 'SUDO_PASSWORD',
};

function wrongWord(path: Path, words: readonly string[], actual: unknown): Finding {
  if (typeof actual === 'object') return wrongKind(path, ['string'], actual);
  const near = nearest(String(actual), words);
  const remedy = near === undefined || words.length === 1 ? `write ${words.join(' or ')}` : `did you mean ${near}?`;
  return {
    path,
    message: `is ${words.length === 1 ? 'not right' : `not one of ${words.join(', ')}`} (${remedy})`,
    subject: 'value',
  };
}

const kindNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function wrongKind(path: Path, expected: readonly string[], actual: unknown): Finding {
  const names = [...new Set(expected.map((kind) => kindNames[kind] ?? kind))];
  const simple = typeof actual === 'number' || typeof actual === 'boolean';
  if (simple && expected.includes('string') && names.length === 1) {
    return {
      path,
      message: `is ${typeof actual === 'number' ? 'a number' : 'true or false'} to YAML, not text (${path.at(-1) === 'version' ? 'write it in full: 3.6.16' : 'put it in quotes'})`,
      subject: 'value',
    };
  }
  const kind = Array.isArray(actual) ? 'a list' : typeof actual === 'object' ? 'a mapping' : 'a single value';
  return { path, message: `is ${kind} (write ${names.join(' or ')})`, subject: 'none' };
}

function customSubject(params: Readonly<Record<string, unknown>> | undefined, actual: unknown): Finding['subject'] {
  if (typeof actual === 'object') return 'none';
  return params?.['secret'] === true ? 'hidden' : 'value';
}

function toPart(part: PropertyKey): string | number {
  return typeof part === 'number' ? part : String(part);
}
