/** Fills a template: every value is escaped for the file's format, and a variable that is unknown or unused is an error. */
import { Eta, type TemplateFunction } from 'eta/core';

/** Template texts by name, as main reads them from templates/. */
export type Templates = Readonly<Record<string, string>>;

export type TemplateValue = string | number | boolean | readonly TemplateValue[];

export interface TemplateInput {
  readonly name: string;
  readonly variables: Readonly<Record<string, TemplateValue>>;
  /** Makes a value safe where it stands: `<%= %>` calls it, `<%~ %>` does not. */
  readonly escape: (value: TemplateValue) => string;
}

/**
 * The filled template. Throws an Error `NAME:LINE: …` where the template is missing or malformed, reads a variable that it
 * is not given, or does not read one that it is given.
 */
export function fillTemplate(templates: Templates, input: TemplateInput): string {
  const { name, variables } = input;
  const text = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (text === undefined) throw new Error(`${name}: there is no such template`);
  const used = new Set<string>();
  const filled = fill(text, name, strict(variables, used), (value) => input.escape(toValue(value)));
  const unused = Object.keys(variables).filter((variable) => !used.has(variable));
  if (unused.length > 0) throw new Error(`${name}: does not use ${unused.join(', ')}`);
  return filled;
}

/** Templates as they were compiled, by their text: every host has the same ones. */
const programs = new Map<string, TemplateFunction>();

function fill(text: string, name: string, data: object, escapeFunction: (value: unknown) => string): string {
  const eta = new Eta({ autoEscape: true, escapeFunction, autoTrim: false, debug: true, cache: false });
  try {
    const compiled = programs.get(text) ?? eta.compile(text);
    programs.set(text, compiled);
    return eta.render(compiled, data);
  } catch (error) {
    throw new Error(`${name}${place(error)}`, { cause: error });
  }
}

/** Eta's message names the line first (`… line 5`), shows the surroundings, and ends with what happened. */
function place(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = /\bline (\d+)/.exec(message)?.[1];
  const lines = message.split('\n').filter((each) => each.trim() !== '');
  return line === undefined ? `: ${lines[1] ?? lines[0]}` : `:${line}: ${lines[lines.length - 1]}`;
}

function strict(variables: Readonly<Record<string, TemplateValue>>, used: Set<string>): object {
  return new Proxy(variables, {
    get: (target, key) => {
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) throw new Error(`unknown variable ${String(key)}`);
      used.add(key);
      return target[key];
    },
  });
}

function toValue(value: unknown): TemplateValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(toValue);
  throw new Error(`a template can show text, numbers, booleans and lists, not ${typeof value}`);
}
