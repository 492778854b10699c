/** What a member's certificates on disk lack, compared with what the inventory and the authorities want. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import type { HostFacts } from '../domain/facts.ts';
import { activeAuthority, clientTrust, type PkiView, peerTrust } from '../domain/pki-view.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';
import { certificateDrift } from '../pki/drift.ts';
import { memberProfile } from '../pki/profile.ts';

/** Purposes whose private key or public key is not in `directory` yet. */
export function missingKeys(host: HostFacts, directory: string): readonly LeafPurpose[] {
  return leafPurposes.filter(
    (purpose) =>
      host.files[`${directory}/${purpose}.key`]?.kind !== 'file' ||
      host.texts[`${directory}/${purpose}.pub`] === undefined,
  );
}

/** Certificate purposes that must be issued (anew), each with the reason; empty when all are as wanted. */
export function missingCertificates(
  member: {
    readonly cluster: Cluster;
    readonly controller: Controller;
    readonly host: HostFacts;
    readonly pki: PkiView;
  },
  directory: string,
  now: number,
): readonly { readonly purpose: LeafPurpose; readonly reason: string }[] {
  return leafPurposes.flatMap((purpose) => {
    const reason = certificateProblem(member, `${directory}/${purpose}`, { purpose, now });
    return reason === undefined ? [] : [{ purpose, reason }];
  });
}

/** Whether the trust bundles in `directory` are those of the authorities in force. */
export function trustMatches(host: HostFacts, pki: PkiView, directory: string): boolean {
  const client = clientTrust(pki);
  return (
    client !== '' &&
    host.certificates[`${directory}/ca.crt`] === client &&
    host.certificates[`${directory}/peer-ca.crt`] === peerTrust(pki)
  );
}

/** Earliest end of the certificates in `directory`, epoch milliseconds; undefined while none is readable. */
export function earliestExpiry(host: HostFacts, directory: string): number | undefined {
  const ends = leafPurposes.flatMap((purpose) => {
    const pem = host.certificates[`${directory}/${purpose}.crt`];
    return pem === undefined ? [] : [Date.parse(new X509Certificate(pem).validTo)];
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function certificateProblem(
  member: {
    readonly cluster: Cluster;
    readonly controller: Controller;
    readonly host: HostFacts;
    readonly pki: PkiView;
  },
  base: string,
  want: { readonly purpose: LeafPurpose; readonly now: number },
): string | undefined {
  const certificate = member.host.certificates[`${base}.crt`];
  if (certificate === undefined) return 'there is none yet';
  const publicKey = member.host.texts[`${base}.pub`];
  if (publicKey === undefined) return 'its key is made anew';
  if (!sameKey(certificate, publicKey)) return 'its certificate does not match its key';
  const authority = activeAuthority(member.pki, want.purpose === 'peer' ? 'peer' : 'client');
  if (authority === undefined) return 'its authority is made anew';
  const profile = memberProfile(want.purpose, member.controller, member.cluster.pki);
  return certificateDrift(certificate, { profile, authority: authority.certificate }, want.now)[0];
}

function sameKey(certificate: string, publicKey: string): boolean {
  const inCertificate = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return inCertificate.equals(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }));
}
