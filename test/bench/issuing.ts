/** How fast certificates are issued: by quorate's library, by openssl in a shell loop, and what keys and signatures cost alone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Say } from '../../src/lab/say.ts';
import { contest } from './files.ts';
import type { Issuing, Rates } from './limits.ts';
import { measure, spreadOf } from './measure.ts';

/** Members at a time, of three certificates each, so that a run takes seconds; and certificates of the shell loop. */
const sizes = [
  { algorithm: 'ecdsa-p256', members: 400, shell: 30 },
  { algorithm: 'rsa-2048', members: 10, shell: 10 },
] as const;
const MANY = 1000;

interface Task {
  readonly who: keyof Rates;
  readonly algorithm: string;
  readonly members: number;
  readonly certificates: number;
}

/** One and two cores by turns, each with all three. */
export async function measureIssuing(
  rounds: number,
  { say, signal }: { readonly say: Say; readonly signal: AbortSignal },
): Promise<Issuing> {
  const series = sizes.flatMap((size) =>
    [1, 2].map((cores) => ({ ...size, cores, rates: { quorate: none(), bare: none(), shell: none() } })),
  );
  const peaks: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`round ${round + 1} of ${rounds}: certificates`);
    for (const { algorithm, members, shell, cores, rates } of series) {
      for (const who of ['quorate', 'bare', 'shell'] as const) {
        const task = { who, algorithm, members, certificates: who === 'shell' ? shell : members * 3 };
        rates[who].push(await rateOf(task, cores, signal));
      }
    }
    peaks.push(await peakOfMany(signal));
  }
  return {
    rates: series.map(({ algorithm, cores, rates }) => ({
      algorithm,
      cores,
      rates: { quorate: spreadOf(rates.quorate), bare: spreadOf(rates.bare), shell: spreadOf(rates.shell) },
    })),
    peakBytes: spreadOf(peaks),
  };
}

function none(): number[] {
  return [];
}

/** quorate takes the cores that it gets by itself; the others are run once a core, each with its share. */
async function rateOf(task: Task, cores: number, signal: AbortSignal): Promise<number> {
  if (task.who === 'quorate') return runOnce(task, cores === 1 ? '0' : '0,1', signal);
  const share = { ...task, members: task.members / cores, certificates: task.certificates / cores };
  const rates = Array.from({ length: cores }, (_, core) => runOnce(share, String(core), signal));
  return (await Promise.all(rates)).reduce((sum, each) => sum + each, 0);
}

async function runOnce(task: Task, cpus: string, signal: AbortSignal): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
  try {
    const { certificates, ms } = await timed(task, { cpus, folder, signal });
    return (certificates * 1000) / ms;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(
  { who, algorithm, members, certificates }: Task,
  { cpus, folder, signal }: { readonly cpus: string; readonly folder: string; readonly signal: AbortSignal },
): Promise<{ readonly certificates: number; readonly ms: number }> {
  const pinned = ['taskset', '-c', cpus];
  if (who === 'shell') {
    const loop = ['sh', join(contest, 'pki/loop.sh'), folder, algorithm, String(certificates)];
    await measure(['sh', join(contest, 'pki/authorities.sh'), folder, algorithm], { signal });
    return { certificates, ms: (await measure([...pinned, ...loop], { signal })).wallMs };
  }
  const { stdout } = await measure([...pinned, ...issue(who, algorithm, members), folder], { signal });
  return readTimes(stdout);
}

async function peakOfMany(signal: AbortSignal): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
  try {
    const run = await measure([...issue('quorate', 'ecdsa-p256', MANY), folder], { peak: true, signal });
    const { certificates } = readTimes(run.stdout);
    if (certificates !== MANY * 3) throw new Error(`${certificates} certificates were issued, not ${MANY * 3}`);
    return run.peakBytes ?? Number.POSITIVE_INFINITY;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The program beside the bundle of this file. */
function issue(who: string, algorithm: string, members: number): readonly string[] {
  return [process.execPath, fileURLToPath(new URL('./issue.js', import.meta.url)), who, algorithm, String(members)];
}

function readTimes(text: string): { readonly certificates: number; readonly ms: number } {
  const read: unknown = JSON.parse(text);
  if (typeof read === 'object' && read !== null && 'certificates' in read && 'ms' in read) {
    return { certificates: Number(read.certificates), ms: Number(read.ms) };
  }
  throw new Error(`no times: ${text}`);
}
