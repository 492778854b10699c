/** `${VAR}` and `${VAR:-default}` in the values of a parsed document: a variable's text fills one value and can never become YAML. */
import { type Document, isScalar, type Scalar, visit } from 'yaml';
import { etcdKeyRows } from '../domain/etcd-keys-table.ts';
import type { Complaint } from './complaint.ts';
import { pathOf } from './place.ts';

/** The environment, as a plain record. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  readonly complaints: readonly Complaint[];
  /** For each value that variables filled: their names. */
  readonly filled: ReadonlyMap<Scalar, readonly string[]>;
}

/**
 * Fills in the variables, in the document itself. Only values are looked at, never keys or comments; `$$` is a dollar sign. `:-` gives the
 * default for variables that are unset or empty. The result is text, and the schema reads numbers from text; below `etcd:`, where etcd's own
 * types count, digits, true and false become numbers and booleans unless the key takes text.
 */
export function substitute(document: Document, environment: Environment): Substitution {
  const complaints: Complaint[] = [];
  const filled = new Map<Scalar, readonly string[]>();
  visit(document, {
    Scalar: (key, node, ancestors) => {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      const result = expand(node.value, environment);
      const path = pathOf(ancestors, node);
      const offset = node.range?.[0] ?? 0;
      for (const message of result.flaws) complaints.push({ path, offset, message });
      if (result.names.length > 0) filled.set(node, result.names);
      node.value = path[0] === 'etcd' && result.names.length > 0 ? retype(path[1], result.text) : result.text;
    },
  });
  return { complaints, filled };
}

/** The value of a node at a path as messages may name it: variables by their names, since their values may be secrets. */
export function nameOfFilled(substitution: Substitution, node: unknown): string | undefined {
  const names = isScalar(node) ? substitution.filled.get(node) : undefined;
  return names === undefined ? undefined : `the value of ${names.map((name) => `\${${name}}`).join(' and ')}`;
}

interface Expansion {
  readonly text: string;
  readonly names: string[];
  readonly flaws: string[];
}

function expand(text: string, environment: Environment): Expansion {
  const names: string[] = [];
  const flaws: string[] = [];
  const expanded = text.replace(/\$\$|\$\{([^}]*)(\})?|\$/g, (match, inside?: string, end?: string) => {
    if (match === '$$') return '$';
    if (inside === undefined) flaws.push(`has a $ that begins nothing (write \${NAME}, or $$ for a dollar sign)`);
    else if (end === undefined) flaws.push(`has a \${ without its } (write \${NAME} or \${NAME:-default})`);
    else return fill(inside, environment, { names, flaws });
    return match;
  });
  return { text: expanded, names, flaws };
}

function fill(inside: string, environment: Environment, { names, flaws }: Omit<Expansion, 'text'>): string {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(inside);
  const [, name, fallback] = match ?? [];
  if (name === undefined || fallback?.includes('$') === true) {
    flaws.push(`has a \${…} that is no variable (write \${NAME} or \${NAME:-default}, the default without $)`);
    return '';
  }
  names.push(name);
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  if (value === undefined)
    flaws.push(`needs the variable ${name}, which is not set (export it, or write \${${name}:-default})`);
  return value ?? '';
}

/** Text to what a key of etcd takes, unless it takes text. */
function retype(key: unknown, text: string): string | number | boolean {
  const type = typeof key === 'string' && Object.hasOwn(etcdKeyRows, key) ? etcdKeyRows[key]?.type : undefined;
  if (type === 'string') return text;
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
