/** Taking in the authorities of a cluster that is being adopted: their certificates from what its members trust, their keys only from where the operator says. */
import { resolve } from 'node:path';
import { chooseAuthority, keyOnHost, sameTrust, trustedBy } from '../adopt/authority.ts';
import type { Description } from '../adopt/describe.ts';
import type { FoundHost } from '../adopt/found.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Use } from '../domain/pki-view.ts';
import { minorOf } from '../domain/version.ts';
import { flag, type Invocation, type Ports, value } from './command.ts';

interface Adopted {
  readonly cluster: Cluster;
  readonly hosts: readonly FoundHost[];
  readonly tls: Description['tls'];
}

/**
 * Those that sign for clients and peers, each once; nothing where the store has them already, or the members have none. The ports for what comes
 * next: an identity that was made on the way is not made again.
 * @throws QuorateError refused without their keys, or where a port has neither mutual TLS nor plaintext: the first apply would part the members
 */
export async function importAuthorities(adopted: Adopted, invocation: Invocation, ports: Ports): Promise<Ports> {
  const { cluster, tls, hosts } = adopted;
  let next = ports.withOptions(invocation.options);
  requireTls(adopted);
  const known = await ports.storeEvidence(cluster);
  const has = 'authorities' in known ? known.authorities.map((each) => each.purpose) : [];
  const own = (['client', 'peer'] as const).filter((use) => tls[use] === 'mutual');
  const wanted = own.length === 2 && sameTrust(hosts) ? (['both'] as const) : own;
  for (const purpose of wanted) {
    if (has.includes(purpose)) continue;
    const use = purpose === 'peer' ? 'peer' : 'client';
    const key = await keyFor(adopted, use, invocation, ports);
    const { certificate, others } = chooseAuthority(trustedBy(hosts, use), key);
    for (const each of others) {
      ports.ui.warn(
        `members also trust ${each}: it is not taken over, and certificates of it are refused after the first apply`,
      );
    }
    const imported = await next.importAuthority(cluster, { purpose, offer: { certificate, chain: '', key } });
    next = ports.withOptions(withIdentityMade(invocation.options));
    for (const each of imported.warnings) ports.ui.warn(each);
    ports.ui.note(`authority ${imported.id}: ${imported.subject}`);
  }
  return next;
}

function withIdentityMade({ newIdentity, ...rest }: Invocation['options']): Invocation['options'] {
  return typeof newIdentity === 'string' ? { ...rest, identity: newIdentity } : rest;
}

/** Mutual TLS is taken over, and given to ports that have none at all; certificates of another kind would end for somebody. */
function requireTls({ cluster, tls: { client, peer } }: Adopted): void {
  const written = 'the inventory is written, and nothing was changed';
  if ([client, peer].some((each) => each !== 'mutual' && each !== 'none')) {
    throw new QuorateError('refused', `its client ports have ${words[client]}, and its peer ports ${words[peer]}`, {
      hint: `${written}; bring those that have TLS to mutual TLS first, as docs/operations.md has it (adopt, "A cluster without TLS"), then: quorate adopt -i FILE`,
    });
  }
  if (client === 'mutual' || minorOf(cluster.version) !== '3.4') return;
  throw new QuorateError(
    'refused',
    `etcd ${cluster.version} does not serve TLS and plaintext on one port: its clients would be cut off`,
    {
      hint: `${written}; bring its members to 3.5 first, one after the other, as docs/operations.md has it (adopt, "A cluster without TLS"), then adopt it into a new inventory: --out FILE`,
    },
  );
}

const words = {
  mutual: 'mutual TLS',
  'one-way': 'TLS without client certificates',
  auto: 'certificates that etcd makes itself (auto-tls)',
  none: 'no TLS',
} as const;

async function keyFor({ cluster, hosts }: Adopted, use: Use, invocation: Invocation, ports: Ports): Promise<string> {
  const named = (use === 'peer' ? value(invocation, 'peerCaKey') : undefined) ?? value(invocation, 'caKey');
  if (named !== undefined) return ports.files.read(resolve(ports.operator.directory, named));
  const place = keyOnHost(hosts, use);
  if (place !== undefined && flag(invocation, 'readCaKey')) {
    return ports.adoption.readKey(cluster, { ...place, host: controllerFor(cluster, hosts, place.host) });
  }
  const lies = place === undefined ? '' : `; ${place.host}:${place.path} may be it`;
  throw new QuorateError(
    'refused',
    `the private key of the authority for ${use}s is wanted: without it quorate can issue nothing that the members trust${lies}`,
    {
      hint:
        place === undefined
          ? 'name it: --ca-key FILE (and --peer-ca-key FILE where peers have another authority)'
          : 'let it be read from there (it is encrypted here at once): --read-ca-key; or name a copy: --ca-key FILE',
    },
  );
}

/** The host's name in the inventory that was written: the draft's may have been another. */
function controllerFor(cluster: Cluster, hosts: readonly FoundHost[], host: string): string {
  const address = hosts.find((each) => each.host === host)?.address;
  return cluster.controllers.find((each) => each.ssh.address === address)?.name ?? host;
}
