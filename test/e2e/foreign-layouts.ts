/** Clusters in the layouts of two tools on a stage's hosts, with mutual TLS: Debian's etcd-server set up in /etc/default/etcd, and kubeadm's static pods. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabHost } from '../../src/lab/host.ts';
import { ensureRelease } from '../../src/lab/releases.ts';
import { makeAuthority, signNode } from './foreign-cluster.ts';
import type { Stage } from './stage.ts';

const debian = { crt: '/etc/ssl/etcd/node.pem', key: '/etc/ssl/etcd/node-key.pem', ca: '/etc/ssl/etcd/ca.pem' };
const pki = '/etc/kubernetes/pki/etcd';

/** A pod's folder of the container's files, as containerd mounts it. */
const rootfs = '/run/containerd/io.containerd.runtime.v2.task/k8s.io/etcd/rootfs';
const scope = `cri-containerd-${'c0ffee'.repeat(8)}.scope`;

/** On hosts with the packages etcd-server and etcd-client: what the package started and its empty member are gone. */
export async function makeDebian(stage: Stage): Promise<void> {
  makeAuthority(stage);
  await Promise.all(
    stage.lab.hosts.map(async (host, index) => {
      await host.sh('systemctl stop etcd; rm -rf /var/lib/etcd/default');
      const { authority, certificate, key } = signNode(stage, index + 1);
      await host.putFile(debian.ca, authority, 0o644);
      await host.putFile(debian.crt, certificate, 0o644);
      await host.putFile(debian.key, key, 0o600);
      await host.sh(`chown etcd ${debian.key}`);
      const settings = Object.entries({ ...urlsOf(stage, host), ...debianTls }).map(
        ([name, value]) => `ETCD_${name.toUpperCase().replaceAll('-', '_')}="${value}"\n`,
      );
      const more = '# Environment file of etcd(1)\nETCD_HEARTBEAT_INTERVAL="200"\n';
      await host.putFile('/etc/default/etcd', `${more}${settings.join('')}`, 0o644);
      await host.sh('systemctl enable -q etcd && systemctl start --no-block etcd');
    }),
  );
  await untilServes(stage, debianEtcdctl(stage));
}

/** etcdctl on the first host, as the package's operator calls it. */
export function debianEtcdctl(stage: Stage): string {
  return `ETCDCTL_API=3 /usr/bin/etcdctl --endpoints=https://${stage.host(1).ipv4}:2379 --cacert=${debian.ca} --cert=${debian.crt} --key=${debian.key}`;
}

const debianTls = {
  ...{ 'cert-file': debian.crt, 'key-file': debian.key, 'trusted-ca-file': debian.ca, 'client-cert-auth': 'true' },
  ...{ 'peer-cert-file': debian.crt, 'peer-key-file': debian.key, 'peer-trusted-ca-file': debian.ca },
  'peer-client-cert-auth': 'true',
};

/** kubeadm's files on each host (phases/certs, phases/etcd), and the very command of its manifest as the kubelet's container runtime would run it. */
export async function makePods(stage: Stage, version: string): Promise<void> {
  const { tarball } = await ensureRelease(version);
  const binary = (name: string): Buffer =>
    execFileSync('tar', ['-xzOf', tarball, `etcd-v${version}-linux-amd64/${name}`], { maxBuffer: 2 ** 28 });
  const [etcd, etcdctl] = [binary('etcd'), binary('etcdctl')];
  makeAuthority(stage);
  await Promise.all(
    stage.lab.hosts.map(async (host, index) => {
      const { authority, certificate, key } = signNode(stage, index + 1);
      await host.putFile(`${pki}/ca.crt`, authority, 0o644);
      for (const name of ['server', 'peer']) {
        await host.putFile(`${pki}/${name}.crt`, certificate, 0o644);
        await host.putFile(`${pki}/${name}.key`, key, 0o600);
      }
      await host.putFile('/etc/kubernetes/manifests/etcd.yaml', manifest(stage, host, version), 0o600);
      await host.putFile(`${rootfs}/usr/local/bin/etcd`, etcd, 0o755);
      await host.putFile(`${rootfs}/usr/local/bin/etcdctl`, etcdctl, 0o755);
      await host.sh(`install -d -m 0700 /var/lib/etcd; mkdir -p ${rootfs}/var/lib/etcd ${rootfs}${pki}
mount --bind /var/lib/etcd ${rootfs}/var/lib/etcd; mount --bind ${pki} ${rootfs}${pki}`);
      const slice = 'kubepods-burstable-pod5f1c3a2e_0d4b_4c7e_9a61_2b8f7d6e5c40.slice';
      const run = `systemd-run --quiet --scope --slice=${slice} --unit=${scope} chroot ${rootfs}`;
      await host.sh(`systemd-run --quiet --unit=kubelet -p KillMode=process ${run} ${command(stage, host).join(' ')}`);
    }),
  );
  await untilServes(stage, podEtcdctl(stage));
}

/** etcdctl of the first host's container. */
export function podEtcdctl(stage: Stage): string {
  const shown = `--cacert=${pki}/ca.crt --cert=${pki}/server.crt --key=${pki}/server.key`;
  return `ETCDCTL_API=3 ${rootfs}/usr/local/bin/etcdctl --endpoints=https://${stage.host(1).ipv4}:2379 ${shown}`;
}

/** One member out of its pod into a unit with the same command on the same data, as docs/operations.md has it. */
export async function takeOutOfPod(stage: Stage, host: LabHost): Promise<void> {
  // What the kubelet does once the manifest has gone.
  await host.sh(`mv /etc/kubernetes/manifests/etcd.yaml /etc/kubernetes/etcd.yaml.was; systemctl stop ${scope}`);
  const unit = [
    ...['[Unit]', 'Description=etcd', 'After=network-online.target', 'Wants=network-online.target', '[Service]'],
    ...['Type=notify', `ExecStart=/opt/etcd/${command(stage, host).join(' ')}`, 'Restart=on-failure'],
    ...['LimitNOFILE=40000', '[Install]', 'WantedBy=multi-user.target', ''],
  ].join('\n');
  await host.putFile('/etc/systemd/system/etcd.service', unit, 0o644);
  await host.sh(`mkdir -p /opt/etcd; cp ${rootfs}/usr/local/bin/etcd* /opt/etcd/
systemctl daemon-reload; systemctl enable -q --now etcd`);
}

/** The container's, by the manifest (kubeadm 1.31, GetEtcdPodSpec). */
function command(stage: Stage, host: LabHost): readonly string[] {
  const tls = (prefix: string, name: string): Readonly<Record<string, string>> => ({
    [`${prefix}cert-file`]: `${pki}/${name}.crt`,
    [`${prefix}client-cert-auth`]: 'true',
    [`${prefix}key-file`]: `${pki}/${name}.key`,
    [`${prefix}trusted-ca-file`]: `${pki}/ca.crt`,
  });
  const flags = {
    ...{ 'experimental-initial-corrupt-check': 'true', 'experimental-watch-progress-notify-interval': '5s' },
    ...{ ...urlsOf(stage, host), 'data-dir': '/var/lib/etcd', 'snapshot-count': '10000' },
    ...{ ...tls('', 'server'), ...tls('peer-', 'peer'), 'listen-metrics-urls': 'http://127.0.0.1:2381' },
  };
  return ['etcd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
}

function manifest(stage: Stage, host: LabHost, version: string): string {
  const words = command(stage, host).map((each) => `    - ${each}\n`);
  return `apiVersion: v1
kind: Pod
metadata:
  labels: { component: etcd, tier: control-plane }
  name: etcd
  namespace: kube-system
spec:
  containers:
  - command:
${words.join('')}    image: registry.k8s.io/etcd:${version}-0
    name: etcd
  hostNetwork: true
  priorityClassName: system-node-critical
`;
}

function urlsOf({ lab: { hosts } }: Stage, { name, ipv4 }: LabHost): Readonly<Record<string, string>> {
  return {
    name,
    'initial-advertise-peer-urls': `https://${ipv4}:2380`,
    'listen-peer-urls': `https://${ipv4}:2380`,
    'advertise-client-urls': `https://${ipv4}:2379`,
    'listen-client-urls': `https://127.0.0.1:2379,https://${ipv4}:2379`,
    'initial-cluster': hosts.map((each) => `${each.name}=https://${each.ipv4}:2380`).join(','),
  };
}

async function untilServes(stage: Stage, ask: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await stage.host(1).exec(`${ask} endpoint health`)).status === 0) return;
    await sleep(300);
  }
  throw new Error(`it does not serve: ${(await stage.host(1).exec('journalctl -n 30')).stdout}`);
}
