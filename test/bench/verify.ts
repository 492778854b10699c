/** The same proof after every tool's run: what none of them may have left out to be quick. */
import type { Arena } from './arena.ts';

/** On one host: every member healthy over mutual TLS, nobody let in without a certificate, keys private, a unit that boots. Prints the PID. */
const proof = (endpoints: string, members: number): string => `set -eu
fail() { echo "$1" >&2; exit 1; }
systemctl is-active --quiet etcd || fail 'etcd is not active'
systemctl is-enabled --quiet etcd || fail 'etcd does not start at boot'
cd /etc/etcd/pki
tls='--cacert ca.crt --cert client.crt --key client.key'
etcdctl --endpoints ${endpoints} $tls endpoint health >/dev/null 2>&1 || fail 'not every member is healthy'
[ "$(etcdctl --endpoints ${endpoints} $tls member list | grep -c ', started, ')" = ${members} ] || fail 'not every member has started'
! curl -fs --cacert ca.crt https://127.0.0.1:2379/version || fail 'a client without a certificate is let in'
for each in 'ca server serverAuth' 'peer-ca peer serverAuth' 'ca client clientAuth'; do
  set -- $each
  openssl verify -x509_strict -CAfile "$1.crt" "$2.crt" >/dev/null || fail "$2.crt is not of $1.crt"
done
[ "$(stat -L -c '%a %U %G' server.key peer.key client.key | tr '\\n' ,)" = '600 etcd etcd,600 etcd etcd,640 root etcd,' ] || fail 'keys are readable by others'
systemctl show -p MainPID --value etcd`;

/** The main PID of every member, once the cluster was found as it must be. @throws Error host and what it lacks */
export async function verifyCluster({ lab }: Arena): Promise<readonly string[]> {
  const endpoints = lab.hosts.map(({ ipv4 }) => `https://${ipv4}:2379`).join(',');
  return Promise.all(
    lab.hosts.map(async (host) => {
      const { status, stdout, stderr } = await host.exec(proof(endpoints, lab.hosts.length));
      if (status !== 0) throw new Error(`${host.name}: ${stderr.trim()}`);
      return stdout.trim();
    }),
  );
}

/** Throws where a run with nothing to do has restarted a member. */
export async function verifyUndisturbed(arena: Arena, before: readonly string[]): Promise<void> {
  const after = await verifyCluster(arena);
  if (after.join() !== before.join()) throw new Error('a run with nothing to do restarted etcd');
}
