/** The kinds of fields that an inventory has, as zod schemas that complain in sentences and carry what editors need. */
import * as z from 'zod/mini';
import type { ValueRule } from './value-rule.ts';

/** What the JSON Schema says about a field instead of what zod would derive. */
export interface FieldNotes {
  readonly about: string;
  readonly shape?: Readonly<Record<string, unknown>>;
}

/** Notes of every field and section, by schema object. */
export const fieldNotes = z.registry<FieldNotes>();

/** Any text with a variable is right for an editor: only loading knows its value. */
const variable = '.*\\$\\{.*';

/** Text under one rule. */
export function text(rule: ValueRule, about: string) {
  const schema = z.string().check(
    z.check((payload) => {
      const flaw = rule.check(payload.value);
      if (flaw === undefined) return;
      const message = `${flaw.problem} (${flaw.remedy})`;
      payload.issues.push({ code: 'custom', input: payload.value, message, params: { secret: rule.secret === true } });
    }),
  );
  return schema.register(fieldNotes, { about, shape: { type: 'string', pattern: `^(${rule.pattern}|${variable})$` } });
}

/** A whole number; text of decimal digits counts, because a `${VARIABLE}` is text. */
export function integer(minimum: number, maximum: number, about: string) {
  const input = z.union([z.number(), z.string()]).check(
    z.check((payload) => {
      const value = String(payload.value);
      const number = /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : Number.NaN;
      if (number >= minimum && number <= maximum) return;
      const problem = Number.isNaN(number) ? 'is no whole number' : `is not between ${minimum} and ${maximum}`;
      const message = `${problem} (${numberRemedy(value, minimum, maximum)})`;
      payload.issues.push({ code: 'custom', input: payload.value, message });
    }),
  );
  const digits = { type: 'string', pattern: `^([0-9]+|${variable})$` };
  return z
    .pipe(input, z.transform(Number))
    .register(fieldNotes, { about, shape: { anyOf: [{ type: 'integer', minimum, maximum }, digits] } });
}

/** True or false; the texts `true` and `false` count, because a `${VARIABLE}` is text. */
export function flag(about: string) {
  const input = z.union([z.boolean(), z.string()]).check(
    z.check((payload) => {
      if (/^(true|false)$/.test(String(payload.value))) return;
      const yes = /^(yes|y|on)$/i.test(String(payload.value));
      const no = /^(no|n|off)$/i.test(String(payload.value));
      const remedy = yes || no ? `YAML 1.2 takes it for text; write ${yes}` : 'write true or false';
      payload.issues.push({
        code: 'custom',
        input: payload.value,
        message: `is neither true nor false (${remedy})`,
      });
    }),
  );
  const words = { type: 'string', pattern: `^(true|false|${variable})$` };
  return z
    .pipe(
      input,
      z.transform((value) => value === true || value === 'true'),
    )
    .register(fieldNotes, { about, shape: { anyOf: [{ type: 'boolean' }, words] } });
}

/** One of some words. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words, about: string) {
  return z.enum(words).register(fieldNotes, {
    about,
    shape: {
      anyOf: [
        { type: 'string', enum: words },
        { type: 'string', pattern: `^${variable}$` },
      ],
    },
  });
}

/** One text or a list of texts; always a list afterwards. */
export function texts(rule: ValueRule, about: string) {
  const item = text(rule, about);
  return z
    .pipe(
      z.union([item, z.array(item)]),
      z.transform((value) => (typeof value === 'string' ? [value] : value)),
    )
    .register(fieldNotes, { about });
}

/** A mapping with these keys and no others; a complaint about another key carries the known ones as its message. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, about: string) {
  return z
    .strictObject(shape, {
      error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
    })
    .register(fieldNotes, { about });
}

function numberRemedy(value: string, minimum: number, maximum: number): string {
  if (/^\d[\d_]*$/.test(value) && value.includes('_')) return `write ${value.replaceAll('_', '')}`;
  return `write a number of ${minimum} to ${maximum}`;
}
