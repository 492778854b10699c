import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commands } from '../../../src/commands/index.ts';
import { readLogText, tellLine } from '../../../src/domain/log-lines.ts';
import { symptomsOf } from '../../../src/domain/symptom-lines.ts';
import { symptomRows } from '../../../src/domain/symptoms.ts';
import { certificateSymptoms } from '../../../src/domain/symptoms-certificates.ts';
import { hostSymptoms } from '../../../src/domain/symptoms-hosts.ts';
import { memberSymptoms } from '../../../src/domain/symptoms-members.ts';

interface Recorded {
  /** What was done to a real etcd, and which member wrote the line. */
  readonly from: string;
  readonly text: string;
  readonly symptoms: readonly string[];
}

/** Lines that real etcds wrote while they were broken on purpose, and lines of healthy ones. */
const recorded: Readonly<Record<string, readonly Recorded[]>> = JSON.parse(
  readFileSync(new URL('../../fixtures/journal/etcd.json', import.meta.url), 'utf8'),
);
const all = Object.entries(recorded).flatMap(([version, lines]) => lines.map((line) => ({ version, ...line })));

/** Patterns without a recording: what they look for stands in the source or the reference that is named. */
const documented: readonly (readonly [RegExp, string])[] = [
  [/cannot fetch cluster info from peer urls/, 'etcdserver: cluster_util.go'],
  [/unmatched member while checking PeerURLs/, 'etcdserver: membership/cluster.go'],
  [/--initial-cluster has .* but missing from --initial-advertise-peer-urls/, 'config/config.go'],
  [/failed to find database snapshot file/, 'etcdserver: backend.go'],
  [/failed to recover v3 backend/, 'etcdserver: server.go, bootstrap.go'],
  [/need non-empty snapshot/, 'seen on 3.6 and 3.7 after two of three members were wiped'],
  [/incompatible with current running cluster/, 'seen on all minors in the first seconds of a cluster'],
  [/detected disallowed (custom )?(v2 )?content in v2store/, 'server/storage/util.go, 3.6'],
  [/start operation timed out/, 'systemd'],
  [/killed by the OOM killer/, 'systemd'],
  [/Failed with result 'oom-kill'/, 'systemd'],
  [/input\/output error/, "Go's EIO"],
  [/too many open files/, "Go's EMFILE"],
  [/another etcd process is using/, 'etcdserver: backend.go, with capnslog'],
];

/** Milliseconds of processor for one look at the text; the best of three. */
function costOf(text: string): number {
  const costs = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    symptomsOf({ message: text, fields: [] });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...costs);
}

it.each([
  'certificate ',
  'x509: certificate has expired or is not yet valid ',
  'x509: certificate is valid for ',
  'prober detected unhealthy status ',
  'apply request took too long ',
  'took too long ',
  'cannot unmarshal ',
  'sync duration of ',
  'open x.key',
  '--initial-cluster has ',
  ' ',
])('looks through a line of 1 MiB that repeats "%s" in time that grows with its length', (word) => {
  const of = (length: number): string => word.repeat(Math.ceil(length / word.length));
  const [small, large] = [costOf(of(128 * 1024)), costOf(of(1024 * 1024))];
  // Eight times the length: 8 where it is linear, 64 where it is quadratic; below a few milliseconds nothing is measured.
  expect(large / Math.max(small, 5)).toBeLessThan(24);
});

describe("the doctor's table", () => {
  it.each(all.map((each) => [each.version, each.from, each.text, each.symptoms] as const))(
    'etcd %s, %s: %s',
    (_version, _from, text, wanted) => expect([...symptomsOf(readLogText(text))].toSorted()).toEqual(wanted.toSorted()),
  );

  it('looks for nothing that was neither recorded nor is documented', () => {
    const texts = all.map(({ text }) => tellLine(readLogText(text)));
    const patterns = symptomRows.flatMap(({ id, lines = [] }) => lines.map((pattern) => ({ id, pattern })));
    const unfounded = patterns.filter(({ pattern }) => !texts.some((each) => pattern.test(each)));
    const known = new Set(documented.map(([pattern]) => pattern.source));
    expect(unfounded.filter(({ pattern }) => !known.has(pattern.source))).toEqual([]);
    const recordedAfterAll = [...known].filter((source) => !unfounded.some(({ pattern }) => pattern.source === source));
    expect(recordedAfterAll).toEqual([]);
  });

  it('was recorded from 3.4 and 3.7, sick and healthy', () => {
    for (const version of ['3.4.23', '3.7.3']) {
      const lines = all.filter((each) => each.version === version);
      expect(lines.filter((each) => each.symptoms.length > 0).length).toBeGreaterThan(20);
      expect(lines.filter((each) => each.symptoms.length === 0).length).toBeGreaterThan(5);
    }
  });

  it('names no verb that does not exist, and tells each cause and remedy', () => {
    const verbs = new Set(commands.map((each) => each.name));
    for (const { id, cause, remedy } of symptomRows) {
      expect(`${id} ${cause}`).toMatch(/^[a-z0-9-]+ [a-zA-Z]/);
      expect(`${cause}|${remedy}`).not.toMatch(/\.\||\.$/);
      const named = [...remedy.matchAll(/\bquorate ([a-z]+(?: [a-z]+)*)/g)].map((match) => match[1] ?? '');
      for (const words of named) {
        const known = [...verbs].some((verb) => words === verb || words.startsWith(`${verb} `));
        expect([id, words, known]).toEqual([id, words, true]);
      }
    }
  });

  it('is what docs/troubleshooting.md says', async () => {
    await expect(troubleshooting()).toMatchFileSnapshot('../../../docs/troubleshooting.md');
  });
});

function troubleshooting(): string {
  const groups = [
    ['Members and the cluster', memberSymptoms],
    ['Hosts', hostSymptoms],
    ['Certificates and keys', certificateSymptoms],
  ] as const;
  return [
    '# Troubleshooting',
    '',
    'What `quorate doctor` knows. It reads the journals of all hosts and looks at states, and tells each symptom with its cause,',
    'its remedy and where it shows; it changes nothing, and works with the cluster up, degraded and dead, with hosts that cannot',
    'be reached, and without the identity. `--bundle FILE` packs what was seen, without secrets, for somebody else to look at.',
    'Numbers like #10254 are issues of etcd-io/etcd.',
    '',
    '<!-- Written from the table in src/domain/symptoms-*.ts by test/unit/domain/symptoms.test.ts: vitest -u writes it anew. -->',
    ...groups.flatMap(([title, rows]) => [
      '',
      `## ${title}`,
      ...Object.entries(rows).flatMap(([id, row]) => section(id, row)),
    ]),
    '',
  ].join('\n');
}

function section(
  id: string,
  row: { readonly level: string; readonly cause: string; readonly remedy: string },
): readonly string[] {
  return ['', `### ${id}`, '', `*${row.level}*. ${sentence(row.cause)}`, '', `Remedy: ${sentence(row.remedy)}`];
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
