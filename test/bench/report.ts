/** What the benchmark says: sections of Markdown, for the terminal and for docs/benchmarks.md. */
import type { Contest, Crowd, Issuing, Rolling, Startup, Verdict } from './limits.ts';
import type { Spread } from './measure.ts';

export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  readonly load: string;
  readonly rounds: string;
  readonly versions: string;
}

const MIB = 1024 * 1024;

/** The whole page. */
export function document(about: Circumstances, verdicts: readonly Verdict[], sections: readonly string[]): string {
  const head = `# Benchmarks

Written by \`npm run bench\` (root, Debian; it installs ansible-core from Debian and pyinfra from PyPI, and says so; about
a quarter of an hour on an idle machine). Everything is measured in one run, tools by turns, hosts wiped in between; values
are medians, with the smallest and the largest, and limits compare medians. Other runs on the same machine differ by a few
percent.

| | |
|---|---|
| date | ${about.date} |
| machine | ${about.machine} |
| load average, before and after | ${about.load} |
| rounds | ${about.rounds} |
| versions | ${about.versions} |

## Limits

${verdictTable(verdicts)}
`;
  return [head, ...sections].join('\n');
}

/** Limits and what was measured. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    ['limit', 'at most', 'measured', ''],
    verdicts.map(({ what, limit, measured, holds }) => [what, limit, measured, holds ? 'holds' : '**missed**']),
  );
}

export function contestSection({ deploy, again }: Contest): string {
  return `## From bare hosts to a healthy cluster of three

PKI included, the same etcd, configuration and unit, the release from this machine. After each run the same proof, outside
the clock: on every host all members are healthy over TLS, a client without a certificate is refused, the unit starts at
boot, and the keys are readable by nobody else. quorate locks, checks, proves and records besides; the floor is one ssh session a host
that unpacks the release and starts members whose every other file is there.

${spreadTable(deploy, time)}

## Again, with nothing to do

\`quorate plan\`, the playbook's and the deploy's second run.

${spreadTable(again, time)}
`;
}

export function startupSection(startup: Startup): string {
  return `## Start-up

\`NODE_EXTRA_CA_CERTS\` is unset: on Node 20 it costs every start 35 to 40 ms.

${spreadTable(startup, time)}
`;
}

export function crowdSection({ curve, pyinfra }: Crowd): string {
  const rows = curve.map(({ hosts, plan, peakBytes }) => [
    String(hosts),
    ...spreadCells(plan, time),
    mebibytes(peakBytes),
  ]);
  return `## Cost against hosts

\`quorate plan\` over new hosts: as many sshds on one lab host, each with an address and a machine ID, which all do their work
on this same machine.

${table(['hosts', 'median', 'smallest', 'largest', 'peak memory'], rows)}

pyinfra over the same ${curve.at(-1)?.hosts} addresses with nothing to do: ${time(pyinfra.median)} (${time(pyinfra.min)} to ${time(pyinfra.max)}).
`;
}

export function issuingSection({ rates, peakBytes }: Issuing): string {
  const rows = rates.flatMap(({ algorithm, cores, rates: each }) =>
    Object.entries(each).map(([who, spread]) => [algorithm, String(cores), who, ...spreadCells(spread, rate)]),
  );
  return `## Certificates a second

The function with which quorate issues for members, three certificates each: names and keys checked, the authority's key
opened with age, all lines of the journal on disk. A member's key is made on the member, so that a bootstrap only signs; here
keys are made too, by the function that makes the operator's. \`bare\` makes a key and a signature with the same library and
nothing else; \`shell\` runs openssl for the key, the request and the certificate. Memory, for 1,000 members (3,000
certificates, ECDSA) in one go: ${mebibytes(peakBytes)}.

${table(['keys', 'cores', '', 'median', 'smallest', 'largest'], rows)}
`;
}

export function rollingSection(rolling: Rolling): string {
  return `## A rolling change

One setting on three members. \`quorate apply\` against a loop of one ssh session a member, which edits the file, moves leadership away, restarts, and waits
for the same gate: a read through the quorum, one leader that all agree on, for 3 s.

${spreadTable(rolling, time)}
`;
}

function spreadTable(rows: Readonly<Record<string, Spread>>, show: (value: number) => string): string {
  return table(
    ['', 'median', 'smallest', 'largest'],
    Object.entries(rows).map(([name, each]) => [name, ...spreadCells(each, show)]),
  );
}

function spreadCells({ median, min, max }: Spread, show: (value: number) => string): readonly string[] {
  return [median, min, max].map(show);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((each, column) => Math.max(3, each.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function time(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

function rate(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : perSecond.toFixed(0);
}

function mebibytes({ median }: Spread): string {
  return `${(median / MIB).toFixed(0)} MiB`;
}
