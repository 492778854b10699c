/** The report's rows of revocation lists: each one in the store, and on each host what stands where etcd reads it. Pure. */
import type { CertificateEvidence, StoredList } from '../domain/certificate-evidence.ts';
import type { HostFacts } from '../domain/facts.ts';
import { currentGeneration } from '../domain/generation.ts';
import { configFile, pkiGeneration, pkiLink } from '../domain/layout.ts';
import { listFor, type Use } from '../domain/pki-view.ts';
import { isListDue } from '../domain/renewal.ts';
import { type CertificateRow, critical, type Finding, warning } from './certificate-row.ts';
import {
  type KnownRevocations,
  type UnrecordedRevocation,
  unrecordedRevocations,
  unrecordedText,
} from './host-lists.ts';

const uses = ['client', 'peer'] as const;
/** Of its life that is left, when a list that nobody has renewed becomes critical. */
const CRITICAL_SHARE = 1 / 10;

/** One row for each list that ports must have. */
export function storedListRows(evidence: CertificateEvidence): readonly CertificateRow[] {
  const wanted = new Set(uses.flatMap((use) => wantedList(evidence, use) ?? []));
  return [...wanted].map((list) => ({
    kind: 'list',
    where: `list ${list.authority}`,
    host: undefined,
    certificate: undefined,
    findings: endFindings(list, evidence.now),
  }));
}

/** `client.crl` and `peer.crl` of a host, where the store has them or the host's configuration names them. */
export function hostListRows(evidence: CertificateEvidence, host: HostFacts): readonly CertificateRow[] {
  return uses.flatMap((use): readonly CertificateRow[] => {
    const { cluster } = evidence;
    const wanted = wantedList(evidence, use);
    const named = host.texts[configFile(cluster)]?.includes(`${pkiLink(cluster)}/${use}.crl`) === true;
    if (wanted === undefined && !named) return [];
    const place = { kind: 'list', where: `${host.host} ${use}.crl`, host: host.host, certificate: undefined } as const;
    const file = host.files[`${pkiGeneration(cluster, currentGeneration(cluster, host))}/${use}.crl`];
    const found = file?.kind === 'file' ? file.sha256 : undefined;
    const lost = unrecordedRevocations([host], knownOf(evidence)).filter((each) => each.use === use);
    return [{ ...place, findings: [...unrecordedFindings(lost), ...fileFindings(found, wanted, named)] }];
  });
}

function knownOf({ cluster, store }: CertificateEvidence): KnownRevocations {
  const lists = (store.lists ?? []).map(({ sha256 }) => sha256);
  return { cluster, authorities: store.authorities, revoked: store.revoked, lists };
}

function unrecordedFindings(lost: readonly UnrecordedRevocation[]): readonly Finding[] {
  if (lost.length === 0) return [];
  const way = 'restore a newer one, or quorate certs revoke (without a name) notes what hosts have';
  return [critical('list-unrecorded', `${unrecordedText(lost)}, which is older than the cluster: ${way}`)];
}

function wantedList({ store }: CertificateEvidence, use: Use): StoredList | undefined {
  return listFor(store.lists ?? [], store.authorities, use);
}

/** etcd itself looks at no date of a list: other readers do, and a list that nobody renews tells that nobody renews anything. */
function endFindings(list: StoredList, now: number): readonly Finding[] {
  const leftMs = list.nextUpdate - now;
  const until = new Date(list.nextUpdate).toISOString().slice(0, 10);
  if (leftMs <= 0) return [critical('list-ends', `ended ${until}: quorate certs rotate --due signs it anew`)];
  if (!isListDue(list, now)) return [];
  const level = leftMs < (list.nextUpdate - list.thisUpdate) * CRITICAL_SHARE ? critical : warning;
  return [level('list-ends', `ends ${until}: quorate certs rotate --due signs it anew`)];
}

function fileFindings(found: string | undefined, wanted: StoredList | undefined, named: boolean): readonly Finding[] {
  if (found === undefined && named) {
    return [critical('list-missing', 'the configuration names it and it is not there: etcd ends every new connection')];
  }
  if (wanted === undefined) return [warning('list-differs', 'the state directory knows no such list')];
  if (found !== wanted.sha256) {
    const what =
      found === undefined ? 'there is none' : `it is not the list of ${wanted.authority} in the state directory`;
    return [warning('list-differs', `${what}: what is revoked may still be good here: quorate certs revoke`)];
  }
  return named ? [] : [warning('list-differs', 'the configuration does not name it: quorate certs revoke')];
}
