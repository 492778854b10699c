/** quorate logs: the members' journals side by side, by time. */

import type { Cluster } from '../domain/cluster.ts';
import { parseDuration } from '../domain/duration.ts';
import { QuorateError } from '../domain/errors.ts';
import { type JournalLine, type LogLevel, logLevels } from '../domain/journal.ts';
import { tellLine } from '../domain/log-lines.ts';
import { nearest } from '../domain/nearest.ts';
import { plainJson } from '../domain/plain-json.ts';
import { flag, type Invocation, type Journals, type JournalsWish, type Ports, type Verb, value } from './command.ts';

/** Of each host, where neither `--lines` nor `--since` says how many. */
const USUAL_LINES = 100;

export const logs: Verb = async (invocation, ports) => {
  const cluster = await ports.clusterAt(undefined);
  const wish = wishOf(invocation, cluster);
  const journals = await ports.journals(cluster, wish);
  try {
    for (const failure of journals.failures) ports.ui.warn(failure.message);
    const told = journals.failures.length;
    await show(journals, wish, ports);
    for (const failure of journals.failures.slice(told)) ports.ui.warn(failure.message);
    if (journals.interrupted()) return 130;
    return journals.failures.length === 0 ? 0 : 2;
  } finally {
    await journals.close();
  }
};

async function show(journals: Journals, { members }: JournalsWish, { ui }: Ports): Promise<void> {
  const width = Math.max(...members.map((each) => each.length));
  for await (const line of journals.lines) {
    if (ui.mode === 'json') ui.line(plainJson(toJson(line)));
    else ui.out(textLine(line, width));
    if (!(await ui.drained())) return;
  }
}

/** `2026-11-21T11:00:00.123Z etcd-1  warn  message key=value` */
function textLine(line: JournalLine, width: number): string {
  const time = new Date(line.at).toISOString();
  return `${time} ${line.host.padEnd(width)}  ${(line.level ?? '').padEnd(5)}  ${tellLine(line)}`;
}

function toJson({ host, at, source, level, message, fields }: JournalLine) {
  return { at: new Date(at).toISOString(), host, source, level, message, fields: Object.fromEntries(fields) };
}

function wishOf(invocation: Invocation, cluster: Cluster): JournalsWish {
  const since = sinceOf(value(invocation, 'since'));
  const follow = flag(invocation, 'follow');
  const lines = linesOf(value(invocation, 'lines')) ?? (since === undefined ? USUAL_LINES : undefined);
  return {
    members: membersOf(invocation.args[0], cluster),
    lines,
    since,
    level: levelOf(invocation),
    also: [],
    follow,
  };
}

function membersOf(wanted: string | undefined, { controllers }: Cluster): readonly string[] {
  const names = controllers.map((each) => each.name);
  if (wanted === undefined) return names;
  if (names.includes(wanted)) return [wanted];
  const close = nearest(wanted, names);
  throw new QuorateError('usage', `logs: the inventory has no controller ${wanted}`, {
    hint: close === undefined ? `one of: ${names.join(', ')}` : `did you mean ${close}?`,
  });
}

function sinceOf(text: string | undefined): JournalsWish['since'] {
  if (text === undefined) return undefined;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? { agoMs: parseDuration(text, '--since') } : { at };
}

function linesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new QuorateError('usage', `--lines ${text}: is no number of lines`, { hint: 'a whole number from 1 on' });
}

function levelOf(invocation: Invocation): LogLevel {
  const text = value(invocation, 'level') ?? 'debug';
  const found = logLevels.find((each) => each === text);
  if (found !== undefined) return found;
  throw new QuorateError('usage', `--level ${text}: is no level`, { hint: `one of: ${logLevels.join(', ')}` });
}
