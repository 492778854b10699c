/** What goes wrong on one host in the middle of a change of certificates, and how it is mended again. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { LabHost } from '../../src/lab/host.ts';
import { until } from './environment.ts';
import type { Run, Running, Stage } from './stage.ts';

export interface Condition {
  readonly name: string;
  /** The stages that are also begun with the host well, and meet it then. */
  readonly meets: readonly string[];
  /** `certs rotate-ca` meets it at each of its points; the others at the first, where its turns and the way to stop are the same. */
  readonly everyPoint?: true;
  /** A rolling restart makes the member well again. */
  readonly endsByRestart?: true;
  /** Once, while the cluster is at rest. */
  arrange?(host: LabHost): Promise<unknown>;
  begin(host: LabHost): Promise<unknown>;
  end(host: LabHost): Promise<unknown>;
}

/** The folder of the generations is a small file system from now on, with all that was in it: etcd misses nothing. */
const smallGenerations = `mkdir -p /run/small; mount -t tmpfs -o size=1m,mode=755 tmpfs /run/small
cp -a /etc/etcd/pki.d/. /run/small/; mount --bind /run/small /etc/etcd/pki.d`;

/** Stages in which members have their turns. */
const turns = ['switch', 'trust-both-roll', 'trust-new-roll'];

export const conditions: readonly Condition[] = [
  {
    name: 'unreachable',
    everyPoint: true,
    meets: turns,
    begin: (host) => host.linkDown(),
    end: (host) => host.linkUp(),
  },
  {
    name: 'its etcd stopped by SIGSTOP',
    endsByRestart: true,
    meets: turns,
    begin: (host) => host.sh('systemctl kill -s STOP etcd'),
    end: (host) => host.sh('systemctl kill -s CONT etcd'),
  },
  {
    name: 'cut off from its peers',
    meets: turns,
    begin: (host) => host.cutPort(2380),
    end: (host) => host.openPorts(),
  },
  {
    name: 'its clock a day behind',
    meets: [],
    begin: (host) => host.fakeClock(-86_400),
    end: (host) => host.fakeClock(0),
  },
  {
    name: 'no space for certificates',
    meets: ['prepare', 'put', 'trust-both-prepare'],
    arrange: (host) => host.sh(smallGenerations),
    begin: (host) => host.sh('cat /dev/zero >/run/small/ballast 2>/dev/null || true'),
    end: (host) => host.sh('rm -f /run/small/ballast'),
  },
];

/** Until `status` finds nothing wrong; fails with what it says at last. */
export async function untilHealthy(stage: Stage): Promise<void> {
  let said = '';
  const look = async (): Promise<true | undefined> => {
    const run = await stage.quorate(['status']);
    said = run.stdout + run.stderr;
    return run.status === 0 ? true : undefined;
  };
  await until('the cluster is healthy', look, 180_000).catch((error: unknown) => {
    throw new Error(`${String(error)}:\n${said}`);
  });
}

/** Resolves true as soon as a run begins a stage, false when it has ended without it. */
export async function stageBegun(stage: Stage, running: Running, id: string): Promise<boolean> {
  const folder = join(stage.folder, '.local', 'state', 'quorate', 'logs');
  let over = false;
  const ended = running.ended.then(() => {
    over = true;
  });
  for (;;) {
    const last = over;
    const names = await readdir(folder).catch(() => []);
    const name = names.find((each) => each.includes(`-${running.pid}-`));
    const log = name === undefined ? '' : await readFile(join(folder, name), 'utf8');
    if (log.includes(`"type":"stage-start","stage":"${id}"`)) return true;
    if (last) break;
    await sleep(10);
  }
  await ended;
  return false;
}

/** A run that did not end well says whose trouble it was, and ended by itself. */
export function expectExplained(run: Run, host: string): void {
  expect(run.signal).toBeNull();
  expect(run.stderr).toContain(host);
  expect(run.stderr).not.toContain('internal error');
}

/** Prints how a run beside a fault ended. */
export function tellRun(what: string, run: Run): void {
  console.log(`${what}: ${run.status} ${run.stderr.trimEnd().split('\n').slice(-4).join(' / ')}`);
}
