/** quorate certs ca show: the authorities and what is wanted of them, where their keys are, and who can open them. */
import { join } from 'node:path';
import type { StoredAuthority, StoreEvidence } from '../domain/certificate-evidence.ts';
import { QuorateError } from '../domain/errors.ts';
import { type CertificateFacts, readCertificate } from '../pki/inspect.ts';
import { ageOf } from '../plan/certificate-report.ts';
import type { Verb } from './command.ts';

export const certsCaShow: Verb = async (_invocation, ports) => {
  const cluster = await ports.clusterAt(undefined);
  const store = await ports.storeEvidence(cluster);
  for (const problem of store.problems) ports.ui.warn(problem);
  if (store.authorities.length === 0) {
    throw new QuorateError('refused', `${store.location}: holds no authority`, {
      hint: 'quorate bootstrap makes them; a lost state directory must come back from its backup or git',
    });
  }
  const authorities = store.authorities.map((each) => describe(store, each, ports.now()));
  if (ports.ui.mode === 'json') ports.ui.json({ cluster: cluster.name, location: store.location, authorities });
  for (const each of authorities) {
    const { id, purpose, subject, algorithm, serial, sha256, key, recipients, daysLeft } = each;
    const whom = { client: 'clients and servers', peer: 'peers', both: 'clients, servers and peers' }[purpose];
    ports.ui.out(
      [
        `authority ${id}: ${subject}`,
        `  status     ${each.status}: ${statusWords[each.status]}`,
        `  for        ${whom}`,
        ...(each.cross === undefined ? [] : [`  cross      ${crossWords(each.cross)}`]),
        ...limitWords(each.nameConstraints),
        `  valid      ${each.notBefore} to ${each.notAfter} (${daysLeft} d left)`,
        `  algorithm  ${algorithm}`,
        `  serial     ${serial}`,
        `  sha256     ${sha256.toUpperCase().match(/../g)?.join(':')}`,
        `  key        ${key === undefined ? 'not in the state directory: it signs elsewhere (quorate certs ca external)' : `${key}, encrypted to ${recipients.length} age recipients:`}`,
        ...(key === undefined ? [] : recipients.map((recipient) => `             ${recipient}`)),
      ].join('\n'),
    );
  }
  return 0;
};

const statusWords = {
  incoming: 'trusted, signs nothing yet',
  active: 'signs',
  outgoing: 'trusted, signs no more',
  retired: 'trusted no more',
} as const;

function crossWords({ signedBy, notAfter, served }: NonNullable<ReturnType<typeof crossOf>>): string {
  const day = notAfter.slice(0, 10);
  return `signed by ${signedBy} until ${day}, ${served ? 'served behind each leaf' : 'not served'}`;
}

function limitWords(limits: CertificateFacts['nameConstraints']): readonly string[] {
  if (limits === undefined) return [];
  const { dns, ip } = limits.permitted;
  return [`  limited    to ${[...dns, ...ip].join(', ')}`];
}

function crossOf({ cross, crossServed, id }: StoredAuthority) {
  if (cross === undefined) return undefined;
  const { issuer, sha256, notAfter } = readCertificate(cross, `the cross certificate of ${id}`);
  return { signedBy: issuer, sha256, notAfter: new Date(notAfter).toISOString(), served: crossServed };
}

function describe({ location }: StoreEvidence, authority: StoredAuthority, now: number) {
  const { id, purpose, status, certificate, key, recipients } = authority;
  const { subject, algorithm, serial, sha256, nameConstraints, ...facts } = readCertificate(certificate, id);
  return {
    id,
    purpose,
    status,
    subject,
    algorithm,
    serial,
    sha256,
    notBefore: new Date(facts.notBefore).toISOString(),
    notAfter: new Date(facts.notAfter).toISOString(),
    ...ageOf(facts, now),
    key: key === undefined ? undefined : join(location, key),
    recipients,
    cross: crossOf(authority),
    nameConstraints,
  };
}
