/** `cluster.json`: the root of a cluster's PKI store. Read strictly, written the same way each time. Pure. */
import { en } from 'zod/locales';
import * as z from 'zod/mini';
import { QuorateError } from '../domain/errors.ts';
import { authorityStatuses } from '../domain/pki-view.ts';
import { leafPurposes } from '../domain/step.ts';

const authority = z.strictObject({
  purpose: z.enum(['client', 'peer', 'both']),
  /** Counts the authorities of one purpose, from 1. */
  number: z.int().check(z.positive()),
  /** Keys in the store. */
  certificate: z.string(),
  key: z.string(),
  status: z.enum(authorityStatuses),
  /** Key in the store of its cross certificate: its subject and key, signed by its predecessor. */
  cross: z.optional(z.string()),
  /** Whether leaves are served with the cross certificate behind them; absent: false. */
  crossServed: z.optional(z.boolean()),
  /** age recipients that its key was encrypted to. */
  recipients: z.readonly(z.array(z.string())),
});

/** See domain/goal.ts. */
const goal = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('rotate'),
    targets: z.readonly(z.record(z.string(), z.int().check(z.positive()))),
    purposes: z.readonly(z.array(z.enum(leafPurposes))),
    keys: z.enum(['make', 'keep']),
    since: z.string(),
    who: z.string(),
  }),
  z.strictObject({
    kind: z.literal('version'),
    way: z.enum(['up', 'down']),
    to: z.string(),
    via: z.readonly(z.array(z.string())),
    from: z.string(),
    since: z.string(),
    who: z.string(),
  }),
  z.strictObject({
    kind: z.literal('replace'),
    id: z.string(),
    member: z.string(),
    with: z.string(),
    since: z.string(),
    who: z.string(),
  }),
  z.strictObject({
    kind: z.literal('restart'),
    ends: z.readonly(z.record(z.string(), z.string())),
    since: z.string(),
    who: z.string(),
  }),
]);

const clusterDocument = z.strictObject({
  schema: z.literal(1),
  uuid: z.uuid(),
  name: z.string().check(z.minLength(1)),
  /** etcd's initial-cluster-token. */
  token: z.string().check(z.minLength(1)),
  /** RFC 3339 */
  created: z.string(),
  /** RFC 3339: when it was first known to be formed; absent before, and once it was given up. */
  formed: z.optional(z.string()),
  authorities: z.readonly(z.array(z.readonly(authority))),
  /** Leaves of an older generation are due. */
  generation: z.int().check(z.positive()),
  /** What imperative verbs want to be true, one of a kind at most. */
  goals: z.readonly(z.array(goal)),
});

export type AuthorityEntry = z.infer<typeof authority>;
export type ClusterDocument = Readonly<z.infer<typeof clusterDocument>>;

/** Where the root stands in the store. */
export const clusterKey = 'cluster.json';

/** Throws `refused` where the text is not such a document, `location` first. */
export function parseDocument(bytes: Uint8Array, location: string): ClusterDocument {
  const parsed = clusterDocument.safeParse(parseJson(Buffer.from(bytes).toString('utf8')), {
    error: en().localeError,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? '' : ` (${issue.path.join('.') || 'document'}: ${issue.message})`;
  throw new QuorateError('refused', `${location}/${clusterKey}: not written by this version of quorate${where}`, {
    hint: 'use a newer quorate, or restore the file from your backup or git',
  });
}

/** JSON of two spaces with a final newline. */
export function printDocument(document: ClusterDocument): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
