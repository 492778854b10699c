/** Shakes hands with every port of every member all the time: no mismatched pair may be served, and no member may lack an authority of its peers. */
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { EtcdError } from '../../../src/etcd/etcd-error.ts';
import { servedCertificate } from '../../../src/etcd/prove.ts';
import type { Stage } from '../stage.ts';
import { dial } from './dial.ts';

/** Pairs are changed within milliseconds. */
const PAIR_PAUSE_MS = 250;
/** Trust is changed by restarts, which are seconds apart; each look is two processes' work, on a machine that members share. */
const TRUST_PAUSE_MS = 800;
const HANDSHAKE_MS = 3_000;

export interface Sampler {
  /** Ends the sampling; what it saw. */
  stop(): Promise<Sampled>;
}

export interface Sampled {
  readonly handshakes: number;
  /** `etcd-2 :2380: ends the handshake: internal error (80)`, `etcd-1 :2380: is of NAME, which etcd-2 does not trust`; each once. */
  readonly problems: readonly string[];
  /** Of each port, the common names that signed what it served, leaf first, in the order in which they were seen. */
  readonly served: Readonly<Record<string, readonly string[]>>;
}

interface Port {
  readonly member: string;
  readonly address: string;
  readonly port: 2379 | 2380;
}

/** What one handshake showed. */
interface Sight {
  readonly serial: string;
  /** Common names of the issuers of leaf and chain. */
  readonly issuers: readonly string[];
  /** Common names of the authorities that the running process takes certificates of. */
  readonly trusts: readonly string[];
}

/** undefined where no handshake came about. */
type Round = ReadonlyMap<Port, Sight | undefined>;

/** Begins at once. Ports that nobody listens on, and members that are stopped, are no problems. */
export function startSampler(stage: Stage): Sampler {
  const ports = stage.lab.hosts.flatMap(({ name, ipv4 }): readonly Port[] =>
    ([2379, 2380] as const).map((port) => ({ member: name, address: ipv4, port })),
  );
  const problems = new Set<string>();
  const served = new Map<string, string[]>();
  const rounds: Round[] = [];
  let handshakes = 0;
  let over = false;
  const judgeTrust = async (): Promise<void> => {
    while (!over) {
      const round = new Map(await Promise.all(ports.map(async (port) => [port, await look(port)] as const)));
      rounds.splice(0, Math.max(0, rounds.length - 2));
      rounds.push(round);
      for (const each of strangers(rounds)) problems.add(each);
      for (const [port, sight] of round) noteServed(served, port, sight);
      await sleep(TRUST_PAUSE_MS);
    }
  };
  const judgePair = async (port: Port): Promise<void> => {
    while (!over) {
      const refusal = await refusalOf(port);
      handshakes += refusal === undefined ? 0 : 1;
      if (refusal) problems.add(`${nameOf(port)}: ends the handshake: ${refusal}`);
      await sleep(PAIR_PAUSE_MS);
    }
  };
  const sampling = Promise.all([judgeTrust(), ...ports.map(judgePair)]);
  return {
    stop: async () => {
      over = true;
      await sampling;
      return { handshakes, problems: [...problems], served: Object.fromEntries(served) };
    },
  };
}

/**
 * The alert by which a port ended the handshake, '' where it did not: a member whose pair does not fit has no certificate to
 * show (internal_error). undefined where no handshake came about.
 */
async function refusalOf({ member, address, port }: Port): Promise<string | undefined> {
  try {
    await servedCertificate({ host: member, stream: dial(address, port), timeoutMs: HANDSHAKE_MS });
    return '';
  } catch (error) {
    return error instanceof EtcdError && error.failure === 'tls' ? error.reason : undefined;
  }
}

/**
 * Peers whose leaf was the same in the round before and in the round behind the one that showed what another member trusts: it
 * was served at that very moment.
 */
function strangers([before, during, behind]: readonly Round[]): readonly string[] {
  if (before === undefined || during === undefined || behind === undefined) return [];
  const peers = [...during.keys()].filter((each) => each.port === 2380);
  return peers.flatMap((port) => {
    const [first, last] = [before.get(port), behind.get(port)];
    if (first === undefined || last === undefined || !alike(first, last)) return [];
    return peers.flatMap((other) => {
      const judge = during.get(other);
      if (other === port || judge === undefined) return [];
      if (first.issuers.some((each) => judge.trusts.includes(each))) return [];
      return [`${nameOf(port)}: is of ${first.issuers[0]}, which ${other.member} does not trust`];
    });
  });
}

function alike(left: Sight, right: Sight): boolean {
  return left.serial === right.serial && left.issuers.join() === right.issuers.join();
}

function noteServed(served: Map<string, string[]>, port: Port, sight: Sight | undefined): void {
  if (sight === undefined) return;
  const seen = served.get(nameOf(port)) ?? [];
  served.set(nameOf(port), seen);
  const issuers = sight.issuers.join(' < ');
  if (seen.at(-1) !== issuers) seen.push(issuers);
}

function nameOf({ member, port }: Port): string {
  return `${member} :${port}`;
}

/** What openssl sees of a port: chain, and whose certificates it asks for. */
async function look({ address, port }: Port): Promise<Sight | undefined> {
  const { stdout } = await execa('openssl', ['s_client', '-connect', `${address}:${port}`, '-showcerts'], {
    ...{ reject: false, stdin: 'ignore', timeout: HANDSHAKE_MS },
  });
  const chain = stdout.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const certificates = chain.map((pem) => new X509Certificate(pem));
  const [leaf] = certificates;
  if (leaf === undefined) return undefined;
  const issuers = certificates.map((each) => commonName(each.issuer));
  return { serial: leaf.serialNumber, issuers, trusts: acceptedNames(stdout) };
}

function acceptedNames(text: string): readonly string[] {
  const [, names = ''] =
    /^Acceptable client certificate CA names\n([\s\S]*?)^(?:Requested|Client|Peer|Shared|---)/m.exec(text) ?? [];
  return names.trim().split('\n').map(commonName);
}

function commonName(subject: string): string {
  return /CN ?= ?([^,\n]+)/.exec(subject)?.[1]?.trim() ?? subject;
}
