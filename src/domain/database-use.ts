/** How full a member's database is, and how much of it is free pages. */
import type { EndpointFacts, Facts } from './facts.ts';
import type { Sign } from './finding.ts';
import type { MetricsFacts } from './metrics.ts';

/** Of the quota; etcd refuses every write at 100 %. */
export const QUOTA_WARN = 0.8;
export const QUOTA_CRITICAL = 0.95;
/** Share of free pages from which defragmenting pays, in files of at least this size. */
const FREE_WARN = 0.5;
const FREE_MATTERS_BYTES = 100 * 2 ** 20;

export interface DatabaseUse {
  readonly host: string;
  readonly sizeBytes: number;
  readonly inUseBytes: number;
  /** undefined where the metrics could not be read. */
  readonly quotaBytes: number | undefined;
  /** 0 to 1 of the quota; undefined where that is not known. */
  readonly used: number | undefined;
  /** 0 to 1 of the file. */
  readonly free: number;
  readonly fragmented: boolean;
}

/** One for each member that answers. */
export function databaseUse(facts: Pick<Facts, 'endpoints'>, metrics: MetricsFacts): readonly DatabaseUse[] {
  const answers = Object.values(facts.endpoints).filter((each: EndpointFacts) => each.failure === undefined);
  return answers.map(({ host, dbSizeBytes: sizeBytes, dbInUseBytes: inUseBytes }) => {
    const quotaBytes = metrics[host]?.quotaBytes;
    const used = quotaBytes === undefined || quotaBytes <= 0 ? undefined : sizeBytes / quotaBytes;
    const free = sizeBytes === 0 ? 0 : 1 - inUseBytes / sizeBytes;
    const fragmented = free >= FREE_WARN && sizeBytes >= FREE_MATTERS_BYTES;
    return { host, sizeBytes, inUseBytes, quotaBytes, used, free, fragmented };
  });
}

/** `0.3 of 2048.0 MiB (0 %)` */
export function wordUse({ sizeBytes, quotaBytes, used }: DatabaseUse): string {
  if (quotaBytes === undefined || used === undefined) return `${mebibytes(sizeBytes)} MiB, quota unknown`;
  return `${mebibytes(sizeBytes)} of ${mebibytes(quotaBytes)} MiB (${Math.round(used * 100)} %)`;
}

/** `60 % of 300.0 MiB are free pages` */
export function wordFree({ sizeBytes, free }: DatabaseUse): string {
  return `${Math.round(free * 100)} % of ${mebibytes(sizeBytes)} MiB are free pages`;
}

/** Symptoms of full and of fragmented databases. */
export function databaseSigns(facts: Pick<Facts, 'endpoints'>, metrics: MetricsFacts): readonly Sign[] {
  return databaseUse(facts, metrics).flatMap((use): readonly Sign[] => [
    ...((use.used ?? 0) >= QUOTA_WARN ? [{ id: 'database-quota', host: use.host, text: wordUse(use) } as const] : []),
    ...(use.fragmented ? [{ id: 'database-fragmented', host: use.host, text: wordFree(use) } as const] : []),
  ]);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
