/** What is looked at on a host once its member's settings are known, and which of several processes is meant. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { type FoundMember, type FoundUrl, isLoopbackHost, readMember, textOf } from './member.ts';
import type { HostSurvey } from './survey.ts';
import type { DetailWish } from './survey-script.ts';

/**
 * The member that is meant: the only one, or that of `unit`.
 * @throws QuorateError refused where there is none, or several
 */
export function chooseMember(survey: HostSurvey, host: string, unit: string | undefined): FoundMember {
  const members = survey.processes.map(readMember);
  const meant = unit === undefined ? members : members.filter((each) => each.process.unit === unit);
  const [first, second] = meant;
  if (first === undefined) {
    const places = [...survey.units, survey.manifest].filter((each) => each !== '');
    const units = places.length === 0 ? '' : ` (what could run one: ${places.join(', ')})`;
    throw new QuorateError('refused', `${host}: no etcd runs there${unit === undefined ? '' : ` as ${unit}`}${units}`, {
      host,
      hint: 'start it first: what a member is told shows while it runs',
    });
  }
  if (second === undefined) return first;
  const told = meant.map(({ process: found, listenClient }) => {
    const where = listenClient.map(textOf).join(', ');
    return `${found.unit || `pid ${found.pid}`} on ${where}`;
  });
  throw new QuorateError('refused', `${host}: ${meant.length} etcd run there: ${told.join('; ')}`, {
    host,
    hint: 'name the unit of the one that is meant: --unit etcd.service',
  });
}

/** Directories, TLS files and, beside authorities, where their keys may lie; the peer port's list is asked on the host where it wants a certificate. */
export function detailsOf(member: FoundMember): DetailWish {
  const { settings, process: found, dataDir, walDir } = member;
  const ports = [settings.client, settings.peer];
  const keys = ports.map(({ keyFile }) => keyFile);
  const authorities = ports.map(({ trustedCaFile }) => trustedCaFile);
  const { certFile, keyFile } = settings.peer;
  const folder = found.executable.replace(/\/[^/]*$/, '');
  const tools = ['etcdctl', 'etcdutl'].map((each) => `${folder}/${each}`);
  return {
    pid: found.pid,
    seen: distinct([dataDir, `${dataDir}/member`, walDir, ...keys, ...authorities.flatMap(authorityKeys), ...tools]),
    certificates: distinct([...ports.map((each) => each.certFile), ...authorities]),
    ask: peerPort(member).tls ? { authority: authorityOf(peerPort(member)), certFile, keyFile } : undefined,
  };
}

/** The address at which a member's peer port answers on its own host. */
export function peerPort({ listenPeer }: FoundMember): FoundUrl {
  const found = listenPeer.find(({ host }) => !isLoopbackHost(host)) ?? listenPeer[0];
  if (found === undefined) return { tls: false, host: '127.0.0.1', port: 2380 };
  if (found.host === '0.0.0.0' || found.host === 'localhost') return { ...found, host: '127.0.0.1' };
  return found.host === '::' ? { ...found, host: '::1' } : found;
}

/** Where the recipes put an authority's key: beside its certificate (openssl, cfssl, easyrsa, kubespray, githubixx' role). */
export function authorityKeys(certificate: string): readonly string[] {
  if (certificate === '') return [];
  const folder = certificate.replace(/\/[^/]*$/, '');
  const stem = certificate.replace(/\.(crt|pem|cert|cer)$/, '');
  return distinct([
    `${stem}.key`,
    `${stem}-key.pem`,
    `${folder}/ca.key`,
    `${folder}/ca-key.pem`,
    `${folder}/private/ca.key`,
  ]);
}

function authorityOf({ host, port }: FoundUrl): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function distinct(list: readonly string[]): readonly string[] {
  return [...new Set(list)].filter((each) => each !== '');
}
