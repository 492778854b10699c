/** What the benchmark says: a table for the terminal, and docs/benchmarks.md. */
import type { Medians, Verdict } from './limits.ts';
import type { Spread } from './measure.ts';

export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  readonly load: string;
  readonly rounds: number;
  readonly versions: string;
}

export interface Curve {
  readonly hosts: number;
  readonly wall: Spread;
  readonly peakBytes: Spread;
}

export interface Report {
  readonly circumstances: Circumstances;
  readonly medians: Medians;
  readonly curve: readonly Curve[];
  readonly verdicts: readonly Verdict[];
}

const MIB = 1024 * 1024;

/** The document, Markdown; its tables are what the terminal shows too. */
export function document(report: Report): string {
  const { circumstances: about } = report;
  return `# Benchmarks

Written by \`npm run bench\` (root, Debian; it installs ansible-core from Debian and pyinfra from PyPI, and says so). Every
run is on the same lab in the same session, tools by turns, hosts wiped in between; values are medians with smallest and
largest.

| | |
|---|---|
| date | ${about.date} |
| machine | ${about.machine} |
| load average, before and after | ${about.load} |
| rounds | ${about.rounds} |
| versions | ${about.versions} |

## Limits

${verdictTable(report.verdicts)}

## From bare hosts to a healthy cluster of three

PKI included, the same etcd, configuration and unit. quorate pushes the release, checks, locks and proves besides; the floor
is one ssh session a host that unpacks it and starts members whose every other file is there.

${timesTable(report.medians.deploy)}

## Again, with nothing to do

\`quorate plan\`, the playbook's and the deploy's second run.

${timesTable(report.medians.again)}

## Start-up

\`NODE_EXTRA_CA_CERTS\` is unset: on Node 20 it costs every start 35 to 40 ms.

${timesTable(report.medians.startup)}

## Cost against hosts

\`quorate plan\` over new hosts: as many sshds on one lab host, each with an address and a machine ID,
which all do their work on this same machine.

${curveTable(report.curve)}

pyinfra over the same 100 addresses with nothing to do: ${inWords(report.medians.crowd.pyinfra)}.
`;
}

/** Limits and what was measured. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    ['limit', 'at most', 'measured', ''],
    verdicts.map(({ what, limit, measured, holds }) => [what, limit, measured, holds ? 'holds' : '**missed**']),
  );
}

function timesTable(times: Readonly<Record<string, Spread>>): string {
  return table(
    ['', 'median', 'smallest', 'largest'],
    Object.entries(times).map(([name, each]) => [name, time(each.median), time(each.min), time(each.max)]),
  );
}

function curveTable(curve: readonly Curve[]): string {
  return table(
    ['hosts', 'median', 'smallest', 'largest', 'peak memory'],
    curve.map(({ hosts, wall, peakBytes }) => [
      String(hosts),
      time(wall.median),
      time(wall.min),
      time(wall.max),
      `${(peakBytes.median / MIB).toFixed(0)} MiB`,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((each, column) => Math.max(3, each.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function inWords({ median, min, max }: Spread): string {
  return `${time(median)} (${time(min)} to ${time(max)})`;
}

function time(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}
