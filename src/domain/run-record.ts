/** What a running process was started with, compared with what is wanted. */
import type { HostFacts, RunRecord } from './facts.ts';

/** Keys that etcd ignores once it has a WAL: they change at bootstrap and with the members, and need no restart. */
const bootstrapKeys: readonly string[] = ['initial-cluster', 'initial-cluster-state', 'initial-cluster-token'];

/**
 * The configuration less the lines of the keys that etcd ignores once it has a WAL. Its sha256 is the run record's
 * `configSha256` (templates/record-start.sh does the same with sed); those keys stand on one line each.
 */
export function comparableConfig(config: string): string {
  return config
    .split(/(?<=\n)/)
    .filter((line) => !bootstrapKeys.some((key) => line.startsWith(`${key}:`)))
    .join('');
}

/** What the start record of a process is to tell, each a sha256; what is left out may be anything. */
export type RunWish = Readonly<Partial<Omit<RunRecord, 'invocationId'>>>;

const words = {
  configSha256: 'configuration',
  caSha256: 'trust bundle for clients',
  peerCaSha256: 'trust bundle for peers',
  binarySha256: 'binary',
  unitSha256: 'unit',
} as const satisfies Readonly<Record<keyof RunWish, string>>;

/**
 * Why a member must be restarted: it is down, it is still the process of the invocation `ends` ('' for none), or its start record is not as
 * wished; undefined where it runs as wanted.
 */
export function restartReason(
  { unit, run }: Pick<HostFacts, 'unit' | 'run'>,
  { wish, ends }: { readonly wish: RunWish; readonly ends: string },
): string | undefined {
  if (unit.activeState !== 'active' && unit.activeState !== 'activating') return `it is ${unit.activeState}`;
  if (ends !== '' && unit.invocationId === ends) return 'the process that is to end still runs';
  const wanted = (['configSha256', 'caSha256', 'peerCaSha256', 'binarySha256', 'unitSha256'] as const).filter(
    (field) => wish[field] !== undefined,
  );
  if (wanted.length === 0) return undefined;
  if (run === undefined) return 'nothing tells what it was started with';
  const other = wanted.filter((field) => run[field] !== wish[field]).map((field) => words[field]);
  return other.length === 0 ? undefined : `it was started with another ${other.join(' and another ')}`;
}
