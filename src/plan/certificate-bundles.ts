/** The report's rows of a host's trust bundles: what they hold, and whether the running etcd was started with them. Pure. */
import type { CertificateEvidence } from '../domain/certificate-evidence.ts';
import type { Controller } from '../domain/controller.ts';
import type { HostFacts } from '../domain/facts.ts';
import { pkiLink } from '../domain/layout.ts';
import { type CertificateFacts, splitPem } from '../pki/inspect.ts';
import {
  type CertificateRow,
  critical,
  type Finding,
  type Judging,
  judgeStrength,
  shownOf,
  warning,
} from './certificate-row.ts';
import { retiredFor, trustedBy } from './certificate-trust.ts';

interface BundleInput {
  readonly evidence: CertificateEvidence;
  readonly judging: Judging;
  readonly controller: Controller;
  readonly host: HostFacts;
}

/** `ca.crt` and `peer-ca.crt`. */
export function bundleRows(input: BundleInput): readonly CertificateRow[] {
  return [bundleRow(input, 'client'), bundleRow(input, 'peer')];
}

function bundleRow(input: BundleInput, use: 'client' | 'peer'): CertificateRow {
  const { evidence, controller, host } = input;
  const file = use === 'client' ? 'ca.crt' : 'peer-ca.crt';
  const path = `${pkiLink(evidence.cluster)}/${file}`;
  const text = host.certificates[path];
  const held = splitPem(text ?? '').map((pem) => input.judging.read(pem)?.facts);
  const readable = held.filter((each) => each !== undefined);
  const first = readable.toSorted((left, right) => left.notAfter - right.notAfter)[0];
  const common = readable.map((each) => each.commonName).join(', ');
  return {
    kind: 'bundle',
    where: `${controller.name} ${file}`,
    host: controller.name,
    certificate: first === undefined ? undefined : { ...shownOf(first), commonName: common },
    findings: [
      ...contentFindings(text, held),
      ...(readable.length === 0 ? [] : memberFindings(input, use, readable)),
      ...(text === undefined ? [] : runningFindings(host, use, path)),
    ],
  };
}

/** etcd ends at its start over any other PEM block than a certificate, and trusts nobody with an empty bundle. */
function contentFindings(
  text: string | undefined,
  held: readonly (CertificateFacts | undefined)[],
): readonly Finding[] {
  if (text === undefined) return [critical('absent', 'there is no trust bundle')];
  const blocks = text.match(/-----BEGIN [^-]*-----/g) ?? [];
  if (blocks.length > held.length || held.includes(undefined)) {
    return [critical('trust-malformed', 'holds something else than certificates: etcd would not start with it')];
  }
  return held.length === 0 ? [critical('trust-malformed', 'holds no certificate: etcd would refuse everybody')] : [];
}

function memberFindings(
  { evidence, judging }: BundleInput,
  use: 'client' | 'peer',
  held: readonly CertificateFacts[],
): readonly Finding[] {
  const wanted = trustedBy(evidence, use, judging.read).map(({ id, parsed: { facts } }) => ({ id, facts }));
  const retired = retiredFor(evidence, use, judging.read).filter(({ parsed }) =>
    held.some(({ sha256 }) => sha256 === parsed.facts.sha256),
  );
  const missing = wanted.filter((each) => !held.some(({ sha256 }) => sha256 === each.facts.sha256));
  const ours = [...wanted, ...retired.map(({ parsed: { facts } }) => ({ facts }))];
  const strangers = held.filter((each) => !ours.some(({ facts }) => facts.sha256 === each.sha256));
  const expired = held.filter((each) => each.notAfter <= judging.now);
  return [
    ...missing.map((each) => critical('trust-missing', `lacks authority ${each.id} (${each.facts.commonName})`)),
    ...(wanted.length === 0
      ? []
      : strangers.map((each) => critical('trust-unknown', `trusts ${each.commonName}, which is no authority of ours`))),
    ...retired.map(({ id }) => warning('trust-retired', `still trusts ${id}, which is retired`)),
    ...expired.map((each) => critical('expired', `${each.commonName} has expired`)),
    ...strangers.flatMap(judgeStrength),
  ];
}

/** Neither files nor handshakes tell what a running process trusts: its start record does. */
function runningFindings(host: HostFacts, use: 'client' | 'peer', path: string): readonly Finding[] {
  if (host.unit.activeState !== 'active') return [];
  const file = host.files[path];
  if (host.run === undefined) {
    return [warning('trust-not-running', 'unknown whether the running etcd was started with it: a restart is due')];
  }
  const started = use === 'client' ? host.run.caSha256 : host.run.peerCaSha256;
  if (file?.kind !== 'file' || file.sha256 === '' || file.sha256 === started) return [];
  return [warning('trust-not-running', 'the running etcd was started with another one: a restart is due')];
}
