/** What a support archive holds: everything that was seen, and no secret. */
import type { Cluster } from '../domain/cluster.ts';
import { withoutCredentials, withoutUserinfo } from '../domain/credentials.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts, HostFacts } from '../domain/facts.ts';
import type { JournalWish } from '../domain/journal.ts';
import { tellLine } from '../domain/log-lines.ts';
import { plainText } from '../domain/plain-json.ts';
import { TOOL_VERSION } from '../plan/saved-plan.ts';
import type { BundleFile } from './command.ts';
import type { Examination } from './examine.ts';
import { planAny } from './plan.ts';

/** Of each host's journal. */
const LINES = 5_000;
/** Of one host's journal, in characters; the oldest lines go. */
const JOURNAL_LIMIT = 4 * 2 ** 20;

/** The files, by name; values are redacted by whoever packs them. */
export async function supportFiles(
  cluster: Cluster,
  seen: Examination,
  doctor: unknown,
): Promise<readonly BundleFile[]> {
  const { view, certificates, health, metricsTexts } = seen;
  const hosts = Object.values(view.facts.hosts);
  const { token: _secret, ...identity } = view.identity ?? { token: '' };
  return [
    { name: 'versions.json', content: { json: versions(cluster, view.facts) } },
    { name: 'doctor.json', content: { json: doctor } },
    { name: 'status.json', content: { json: health } },
    { name: 'plan.json', content: { json: planOf(seen) } },
    { name: 'certificates.json', content: { json: certificates } },
    { name: 'cluster.json', content: { json: { ...cluster, identity } } },
    { name: 'facts.json', content: { json: { ...view.facts, hosts: hosts.map(withoutTexts) } } },
    ...hosts.flatMap(textFiles),
    ...Object.entries(metricsTexts).map(([host, content]) => ({ name: `metrics/${host}.txt`, content })),
    ...(await Promise.all(hosts.map(({ host }) => journalFile(seen, host)))),
  ];
}

/** Tokens that hosts noted: of clusters, and of the lock. */
export function supportSecrets({ hosts }: Pick<Facts, 'hosts'>): readonly string[] {
  return Object.values(hosts).flatMap(({ records: { attempt, starting, marker, lock } }) =>
    [attempt, starting, marker, lock].flatMap((each) => (each === undefined || each.token === '' ? [] : [each.token])),
  );
}

function versions(cluster: Cluster, { hosts, endpoints, observedAt }: Facts) {
  return {
    quorate: TOOL_VERSION,
    at: new Date(observedAt).toISOString(),
    wanted: cluster.version,
    running: Object.fromEntries(Object.values(endpoints).map((each) => [each.host, each.version])),
    hosts: Object.fromEntries(Object.values(hosts).map((each) => [each.host, [each.os.pretty, each.machine]])),
  };
}

function planOf({ view, session }: Examination): unknown {
  const missing = Object.keys(view.facts.unreachable);
  if (missing.length > 0) return { refused: `not reached: ${missing.join(', ')}` };
  try {
    return session.toJson(planAny(view));
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return { refused: error.message, hint: error.hint };
  }
}

/** Texts stand in files of their own; arguments of processes that are not ours may hold anything. */
function withoutTexts({ texts: _files, processes, ...host }: HostFacts) {
  return { ...host, processes: processes.map(({ arguments: _given, ...each }) => each) };
}

/** Configuration, unit, drop-ins of others and scripts as they stand on the host, without what looks like a credential; never keys: the probe reads none. */
function textFiles({ host, texts }: HostFacts): readonly BundleFile[] {
  return Object.entries(texts).map(([path, content]) => ({
    name: `hosts/${host}${path}`,
    content: withoutCredentials(content),
  }));
}

async function journalFile({ session }: Examination, host: string): Promise<BundleFile> {
  const wish: JournalWish = { lines: LINES, since: undefined, level: 'debug', also: [], follow: false };
  const read = session.inquiry.journals([host], wish);
  const texts: string[] = [];
  let length = 0;
  for await (const line of read.lines) {
    const text = `${new Date(line.at).toISOString()} ${line.source} ${line.level ?? '-'} ${plainText(withoutUserinfo(tellLine(line)))}\n`;
    texts.push(text);
    length += text.length;
    while (length > JOURNAL_LIMIT) length -= texts.shift()?.length ?? 0;
  }
  for (const failure of read.failures) texts.push(`${failure.message}\n`);
  return { name: `journal/${host}.log`, content: texts.join('') };
}
