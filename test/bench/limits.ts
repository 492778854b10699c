/** What the benchmark must show: each limit with what was measured against it. */
import type { Spread } from './measure.ts';

/** All medians that limits speak of; milliseconds, bytes where it says so. */
export interface Medians {
  readonly deploy: Readonly<Record<'quorate' | 'ansible' | 'pyinfra' | 'floor', Spread>>;
  readonly again: Readonly<Record<'quorate' | 'ansible' | 'pyinfra', Spread>>;
  readonly startup: Readonly<Record<'node' | 'help' | 'validate', Spread>>;
  readonly crowd: { readonly plan: Spread; readonly planPeakBytes: Spread; readonly pyinfra: Spread };
}

export interface Verdict {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly holds: boolean;
}

const MIB = 1024 * 1024;

/** Every limit of `npm run bench`. */
export function judge({ deploy, again, startup, crowd }: Medians): readonly Verdict[] {
  const node = startup.node.median;
  return [
    ratio('bootstrap of 3 hosts : Ansible playbook', deploy.quorate, deploy.ansible, 1 / 5),
    ratio('bootstrap of 3 hosts : pyinfra deploy', deploy.quorate, deploy.pyinfra, 1 / 2),
    ratio('bootstrap of 3 hosts : floor', deploy.quorate, deploy.floor, 1.6),
    ratio('plan, nothing to do : playbook again', again.quorate, again.ansible, 1 / 20),
    ratio('plan, nothing to do : pyinfra again', again.quorate, again.pyinfra, 1 / 5),
    over('--help over an empty Node', startup.help.median - node, 30, 'ms'),
    over('validate over an empty Node', startup.validate.median - node, 60, 'ms'),
    ratio('plan of 100 hosts : pyinfra, nothing to do', crowd.plan, crowd.pyinfra, 1 / 10),
    over('peak memory of plan of 100 hosts', crowd.planPeakBytes.median / MIB, 200, 'MiB'),
  ];
}

function ratio(what: string, ours: Spread, theirs: Spread, limit: number): Verdict {
  const measured = ours.median / theirs.median;
  return { what, limit: `≤ ${limit.toPrecision(2)}`, measured: measured.toPrecision(2), holds: measured <= limit };
}

function over(what: string, value: number, limit: number, unit: string): Verdict {
  return { what, limit: `≤ ${limit} ${unit}`, measured: `${value.toFixed(0)} ${unit}`, holds: value <= limit };
}
