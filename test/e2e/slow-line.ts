/** A line to a host that is slow enough for something to happen while a release is pushed over it. */
import { dirname } from 'node:path';
import { runProgram } from '../../src/lab/program.ts';
import { labPlace, readRecord } from '../../src/lab/state.ts';
import { until } from './environment.ts';
import type { Stage } from './stage.ts';

/** Lists releases that are installed whole. */
export const nothingInstalled = 'ls -A /usr/local/lib/etcd 2>/dev/null | grep -v quorate-new || true';

export interface SlowLine {
  /** Waits until the host has received a part of the release, and not all of it. */
  pushing(): Promise<void>;
  /** Makes the line what it was. */
  fast(): Promise<void>;
}

/** Slows what goes to a host to 8 Mbit/s: its interface on this machine's bridge. */
export async function slowLine(stage: Stage, number: number): Promise<SlowLine> {
  const received = async (): Promise<number> =>
    Number(await stage.host(number).sh('cat /proc/net/dev | sed -n "s/.*host0: *\\\\([0-9]*\\\\).*/\\\\1/p"'));
  const before = await received();
  const link = await linkOf(stage, number);
  const shape = ['root', 'tbf', 'rate', '8mbit', 'burst', '64kb', 'latency', '400ms'];
  await runProgram(['tc', 'qdisc', 'replace', 'dev', link, ...shape]);
  return {
    pushing: () =>
      until(
        'the release is being pushed',
        async () => ((await received()) - before > 3_000_000 ? true : undefined),
        60_000,
      ).then(() => undefined),
    fast: async () => {
      await runProgram(['tc', 'qdisc', 'del', 'dev', link, 'root']);
    },
  };
}

async function linkOf(stage: Stage, number: number): Promise<string> {
  const record = await readRecord(labPlace(stage.lab.name, dirname(stage.lab.folder)));
  const machine = record?.hosts[number - 1]?.machine;
  if (machine === undefined) throw new Error(`host ${number} has no machine`);
  return `vb-${machine}`;
}
