/** What the benchmark must show: each limit with what was measured against it. */
import type { Spread } from './measure.ts';

/** Milliseconds of each tool; `floor` has nothing to do again. */
export interface Contest {
  readonly deploy: Readonly<Record<'quorate' | 'ansible' | 'pyinfra' | 'floor', Spread>>;
  readonly again: Readonly<Record<'quorate' | 'ansible' | 'pyinfra', Spread>>;
}

/** Milliseconds. */
export type Startup = Readonly<Record<'node' | 'help' | 'validate', Spread>>;

/** `plan` and pyinfra over the same addresses; milliseconds and octets. */
export interface Crowd {
  readonly curve: readonly CrowdPoint[];
  /** With nothing to do, over as many hosts as the last point of the curve. */
  readonly pyinfra: Spread;
}

export interface CrowdPoint {
  readonly hosts: number;
  readonly plan: Spread;
  readonly peakBytes: Spread;
}

/** Certificates a second, by who makes them. */
export type Rates = Readonly<Record<'quorate' | 'bare' | 'shell', Spread>>;

export interface Issuing {
  readonly rates: readonly { readonly algorithm: string; readonly cores: number; readonly rates: Rates }[];
  /** Peak memory of issuing for 1,000 members at once. */
  readonly peakBytes: Spread;
}

/** Milliseconds of a rolling change of three members. */
export type Rolling = Readonly<Record<'quorate' | 'loop', Spread>>;

export interface Verdict {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly holds: boolean;
}

const MIB = 1024 * 1024;

/** Issue 3: bootstrap against the tools and the floor, and the run with nothing to do. */
export function judgeContest({ deploy, again }: Contest): readonly Verdict[] {
  return [
    ratio('bootstrap of 3 hosts : Ansible playbook', deploy.quorate, deploy.ansible, 1 / 5),
    ratio('bootstrap of 3 hosts : pyinfra deploy', deploy.quorate, deploy.pyinfra, 1 / 2),
    ratio('bootstrap of 3 hosts : floor', deploy.quorate, deploy.floor, 1.6),
    ratio('plan, nothing to do : playbook again', again.quorate, again.ansible, 1 / 20),
    ratio('plan, nothing to do : pyinfra again', again.quorate, again.pyinfra, 1 / 5),
  ];
}

/** Issue 3: what starting may cost over an empty Node. */
export function judgeStartup({ node, help, validate }: Startup): readonly Verdict[] {
  return [
    over('--help over an empty Node', help.median - node.median, 30, 'ms'),
    over('validate over an empty Node', validate.median - node.median, 60, 'ms'),
  ];
}

/** Issue 3: the last point of the curve against pyinfra, and its memory. @throws RangeError for a curve without points */
export function judgeCrowd({ curve, pyinfra }: Crowd): readonly Verdict[] {
  const last = curve.at(-1);
  if (last === undefined) throw new RangeError('nothing was measured');
  return [
    ratio(`plan of ${last.hosts} hosts : pyinfra, nothing to do`, last.plan, pyinfra, 1 / 10),
    over(`peak memory of plan of ${last.hosts} hosts`, last.peakBytes.median / MIB, 200, 'MiB'),
  ];
}

/** Issue 4: RSA against the bare keys and signatures, ECDSA against a shell loop, and the memory of many at once. */
export function judgeIssuing({ rates, peakBytes }: Issuing): readonly Verdict[] {
  const speed = rates.map(({ algorithm, cores, rates: { quorate, bare, shell } }) => {
    const on = `${algorithm}, ${cores === 1 ? 'one core' : `${cores} cores`}`;
    return algorithm.startsWith('rsa')
      ? ratio(`time for a certificate : bare key and signature (${on})`, bare, quorate, 1.5)
      : ratio(`time for a certificate : openssl in a shell loop (${on})`, shell, quorate, 1 / 10);
  });
  return [...speed, over("peak memory of 1,000 members' certificates", peakBytes.median / MIB, 200, 'MiB')];
}

/** Issue 5: what planning, locking, looking and recording may cost over the restarts and their gates. */
export function judgeRolling({ quorate, loop }: Rolling): readonly Verdict[] {
  return [over('rolling change of 3 members over a plain loop', quorate.median - loop.median, 3000, 'ms')];
}

function ratio(what: string, ours: Spread, theirs: Spread, limit: number): Verdict {
  const measured = ours.median / theirs.median;
  return { what, limit: `≤ ${limit.toPrecision(2)}`, measured: measured.toPrecision(2), holds: measured <= limit };
}

function over(what: string, value: number, limit: number, unit: string): Verdict {
  return { what, limit: `≤ ${limit} ${unit}`, measured: `${value.toFixed(0)} ${unit}`, holds: value <= limit };
}
