/** Append-only texts of one JSON object a line, each line bound to the one before by its hash: what was changed by hand shows. Pure. */
import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import { QuorateError } from '../domain/errors.ts';

/** What a chain is of. */
export interface ChainKind<T extends Link> {
  /** Its key in the store; stands in every complaint. */
  readonly key: string;
  /** Of one line; it has {@link Link.previous}. */
  readonly record: z.ZodMiniType<T>;
}

/** What every line has. */
export interface Link {
  /** sha256 of the line before, less its newline; in the first line of the chain's key and the cluster's UUID. */
  readonly previous: string;
}

/** The text, which {@link readLinks} has found sound, with `lines` added at its end. */
export function appendLinks<T extends Link>(
  kind: ChainKind<T>,
  text: string,
  uuid: string,
  lines: readonly Omit<T, 'previous'>[],
): string {
  let previous = hash(linesOf(kind, text).at(-1) ?? genesis(kind, uuid));
  const added = lines.map((each) => {
    const line = JSON.stringify({ ...each, previous });
    previous = hash(line);
    return `${line}\n`;
  });
  return text + added.join('');
}

/** All lines in order. Throws `refused` at the first that is not a record or does not follow from the one before. */
export function readLinks<T extends Link>(kind: ChainKind<T>, text: string, uuid: string): readonly T[] {
  let previous = hash(genesis(kind, uuid));
  return linesOf(kind, text).map((line, index) => {
    const parsed = parse(kind, line);
    if (parsed === undefined) throw broken(kind, index, 'is not a record');
    if (parsed.previous !== previous) throw broken(kind, index, 'does not follow from the line before');
    previous = hash(line);
    return parsed;
  });
}

/** What the first line is bound to, so that a chain belongs to one cluster. */
function genesis({ key }: Pick<ChainKind<Link>, 'key'>, uuid: string): string {
  return `quorate ${key} ${uuid}`;
}

function parse<T extends Link>({ record }: ChainKind<T>, line: string): T | undefined {
  try {
    return record.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function linesOf(kind: Pick<ChainKind<Link>, 'key'>, text: string): readonly string[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw broken(kind, text.split('\n').length - 1, 'is cut short');
  return text.slice(0, -1).split('\n');
}

function hash(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}

function broken({ key }: Pick<ChainKind<Link>, 'key'>, index: number, what: string): QuorateError {
  return new QuorateError('refused', `${key}: line ${index + 1} ${what}: the journal was changed by something else`, {
    hint: 'restore it from your backup or git before anything more is issued',
  });
}
