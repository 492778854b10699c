/** What goes wrong on one host in the middle of a change of certificates, and how it is mended again. */
import type { LabHost } from '../../src/lab/host.ts';
import { until } from './environment.ts';
import type { Stage } from './stage.ts';

export interface Condition {
  readonly name: string;
  begin(host: LabHost): Promise<unknown>;
  end(host: LabHost): Promise<unknown>;
}

/** The folder of the generations moves to a small file system that is full; what etcd reads in it stays readable. */
const fillGenerations = `mkdir -p /run/small; mount -t tmpfs -o size=256k,mode=755 tmpfs /run/small
cp -a /etc/etcd/pki.d/. /run/small/; mount --bind /run/small /etc/etcd/pki.d
cat /dev/zero >/run/small/ballast 2>/dev/null || true`;

/** What was written there meanwhile is kept. */
const emptyGenerations = `umount /etc/etcd/pki.d; rm -f /run/small/ballast
find /etc/etcd/pki.d -mindepth 1 -delete; cp -a /run/small/. /etc/etcd/pki.d/; umount /run/small`;

export const conditions: readonly Condition[] = [
  { name: 'unreachable', begin: (host) => host.linkDown(), end: (host) => host.linkUp() },
  {
    name: 'its etcd stopped by SIGSTOP',
    begin: (host) => host.sh('systemctl kill -s STOP etcd'),
    end: (host) => host.sh('systemctl kill -s CONT etcd'),
  },
  { name: 'cut off from its peers', begin: (host) => host.cutPort(2380), end: (host) => host.openPorts() },
  {
    name: 'its clock a day behind',
    begin: (host) => host.fakeClock(-86_400),
    end: (host) => host.fakeClock(0),
  },
  {
    name: 'no space for certificates',
    begin: (host) => host.sh(fillGenerations),
    end: (host) => host.sh(emptyGenerations),
  },
];

/** Until `status` finds nothing wrong. */
export async function untilHealthy(stage: Stage): Promise<void> {
  await until(
    'the cluster is healthy',
    async () => ((await stage.quorate(['status'])).status === 0 ? true : undefined),
    90_000,
  );
}
