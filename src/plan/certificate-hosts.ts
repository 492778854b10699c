/** The report's rows of one host: its files, what its ports serve, and the trust that its running etcd was started with. Pure. */
import { createPublicKey } from 'node:crypto';
import { posix } from 'node:path';
import type { CertificateEvidence, ServedFact } from '../domain/certificate-evidence.ts';
import { type Controller, dialledClientPort } from '../domain/controller.ts';
import type { HostFacts } from '../domain/facts.ts';
import { pkiLink } from '../domain/layout.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';
import type { CertificateFacts } from '../pki/inspect.ts';
import { memberProfile } from '../pki/profile.ts';
import { spkiHash } from '../pki/public-key.ts';
import { bundleRows } from './certificate-bundles.ts';
import { certificateFindings } from './certificate-leaf.ts';
import { hostListRows } from './certificate-lists.ts';
import { modeFindings } from './certificate-modes.ts';
import { type CertificateRow, critical, type Finding, type Judging, shownOf, warning } from './certificate-row.ts';
import { trustOf } from './certificate-trust.ts';

/** One host, its port facts and everything else that is known. */
export interface HostInput {
  readonly evidence: CertificateEvidence;
  readonly judging: Judging;
  readonly controller: Controller;
}

/** Which port shows a purpose's certificate. */
const portOf = { server: 'client', peer: 'peer' } as const;

/** Rows of one controller; of a host that could not be looked at, that and what its ports show all the same. */
export function hostRows(input: HostInput): readonly CertificateRow[] {
  const { evidence, controller } = input;
  const host = evidence.facts.hosts[controller.name];
  if (host === undefined) return unreachableRows(input);
  return [
    ...leafPurposes.map((purpose) => fileRow(input, host, purpose)),
    ...bundleRows({ ...input, host }),
    ...hostListRows(evidence, host),
    portRow(input, 'server'),
    portRow(input, 'peer'),
  ];
}

function unreachableRows(input: HostInput): readonly CertificateRow[] {
  const { evidence, controller } = input;
  const reason = evidence.facts.unreachable[controller.name] ?? `${controller.name}: was not looked at`;
  const text = `its files were not looked at: ${reason.replace(`${controller.name}: `, '')}`;
  const ports = (['server', 'peer'] as const).filter((purpose) => servedOf(input, purpose).kind !== 'silent');
  return [
    {
      kind: 'host',
      where: controller.name,
      host: controller.name,
      certificate: undefined,
      findings: [warning('unreachable', text)],
    },
    ...ports.map((purpose) => portRow(input, purpose)),
  ];
}

function fileRow(input: HostInput, host: HostFacts, purpose: LeafPurpose): CertificateRow {
  const { evidence, controller } = input;
  const base = `${pkiLink(evidence.cluster)}/${purpose}`;
  const pem = host.certificates[`${base}.crt`];
  const leaf = pem === undefined ? undefined : input.judging.readChain(pem)?.leaf;
  return {
    kind: 'file',
    where: `${controller.name} ${purpose}.crt`,
    host: controller.name,
    certificate: leaf === undefined ? undefined : shownOf(leaf.facts),
    findings: [
      ...leafFindings(input, purpose, pem),
      ...(leaf === undefined ? [] : keyFindings({ input, host, purpose, facts: leaf.facts })),
      ...modeFindings(evidence.cluster, host, purpose),
      ...(leaf === undefined || purpose === 'client' ? [] : servedFindings(input, purpose, leaf.facts)),
      ...(leaf === undefined ? [] : clockFindings(leaf.facts, host, input.judging.now)),
    ],
  };
}

function portRow(input: HostInput, purpose: 'server' | 'peer'): CertificateRow {
  const { evidence, controller } = input;
  const number = purpose === 'server' ? dialledClientPort(controller) : controller.peerPort;
  const served = servedOf(input, purpose);
  const place = { kind: 'port', where: `${controller.name} :${number}`, host: controller.name } as const;
  const port = purpose === 'server' ? 'client' : 'peer';
  const plain = evidence.served[controller.name]?.plaintext?.includes(port) === true;
  if (plain && served.kind === 'silent') {
    const text = 'serves plaintext alone, to everybody: quorate apply gives it TLS';
    return { ...place, certificate: undefined, findings: [critical('plaintext', text)] };
  }
  if (served.kind !== 'certificate') {
    const unit = evidence.facts.hosts[controller.name]?.unit.activeState;
    return { ...place, certificate: undefined, findings: [silence(served, evidence.cluster.unit, unit)] };
  }
  const leaf = input.judging.readChain(served.pem)?.leaf;
  return {
    ...place,
    certificate: leaf === undefined ? undefined : shownOf(leaf.facts),
    findings: [...leafFindings(input, purpose, served.pem), ...(plain ? [plaintextToo] : [])],
  };
}

const plaintextToo = warning(
  'plaintext',
  'serves plaintext too, to everybody: etcd.plaintextClients taken out of the inventory, quorate apply ends that',
);

/** What is said of a leaf of this member wherever it is found. */
function leafFindings(input: HostInput, purpose: LeafPurpose, pem: string | undefined): readonly Finding[] {
  const { evidence, judging, controller } = input;
  const use = purpose === 'peer' ? 'peer' : 'client';
  return certificateFindings(pem, judging, {
    profile: memberProfile(purpose, controller, evidence.cluster.pki),
    trust: trustOf(evidence, { use, host: controller.name }, judging),
    vital: [controller.advertiseAddress],
  });
}

/** The private key is never read: its public half stands beside it since it was made. */
function keyFindings({
  input,
  host,
  purpose,
  facts,
}: {
  readonly input: HostInput;
  readonly host: HostFacts;
  readonly purpose: LeafPurpose;
  readonly facts: CertificateFacts;
}): readonly Finding[] {
  const { cluster } = input.evidence;
  const link = host.files[pkiLink(cluster)];
  const directory = link?.kind === 'link' ? posix.resolve(cluster.paths.configDir, link.target) : pkiLink(cluster);
  const publicKey = host.texts[`${directory}/${purpose}.pub`];
  if (publicKey === undefined) return [];
  const hash = hashOfPublicKey(publicKey);
  if (hash === undefined) return [critical('key-mismatch', `${purpose}.pub holds no public key`)];
  return hash === facts.spkiSha256
    ? []
    : [critical('key-mismatch', `is not for the key whose ${purpose}.pub is there`)];
}

function hashOfPublicKey(pem: string): string | undefined {
  try {
    return spkiHash(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
  } catch {
    return undefined;
  }
}

/** Renewed on disk and never served is how clusters die slowly. */
function servedFindings(input: HostInput, purpose: 'server' | 'peer', facts: CertificateFacts): readonly Finding[] {
  const served = servedOf(input, purpose);
  if (served.kind !== 'certificate') return [];
  const shown = input.judging.readChain(served.pem)?.leaf.facts;
  if (shown === undefined || shown.sha256 === facts.sha256) return [];
  const port = purpose === 'server' ? dialledClientPort(input.controller) : input.controller.peerPort;
  const until = new Date(shown.notAfter).toISOString().slice(0, 10);
  return [warning('not-served', `port ${port} serves another one (serial ${shown.serial}, until ${until})`)];
}

/** A host whose clock is off may refuse what is valid by the operator's. */
function clockFindings(facts: CertificateFacts, host: HostFacts, now: number): readonly Finding[] {
  const theirs = now + host.clockOffsetMs;
  const valid = (at: number): boolean => facts.notBefore <= at && at < facts.notAfter;
  if (!valid(now) || valid(theirs)) return [];
  return [critical('host-clock', `not valid by this host's clock (${new Date(theirs).toISOString()})`)];
}

function silence(
  served: Exclude<ServedFact, { kind: 'certificate' }>,
  unit: string,
  state: string | undefined,
): Finding {
  if (served.kind === 'silent') {
    const why = state === undefined || state === 'active' ? '' : `; ${unit} is ${state}`;
    return warning('not-seen', `no certificate was seen: ${served.reason}${why}`);
  }
  // Under TLS 1.2 a server may end the handshake for want of a client certificate, and the connection shows nothing.
  if (/\((42|116)\)$/.test(served.alert)) {
    return warning('not-seen', `no certificate was seen: the port asked for one first: ${served.alert}`);
  }
  return critical('handshake', `every handshake fails: ${served.alert}: look at the certificate and key on disk`);
}

function servedOf({ evidence, controller }: HostInput, purpose: keyof typeof portOf): ServedFact {
  return evidence.served[controller.name]?.[portOf[purpose]] ?? { kind: 'silent', reason: 'it was not asked' };
}
