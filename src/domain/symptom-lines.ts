/** Looks for symptoms in journals, line by line, remembering no more than the last of each. */
import type { Facts, HostFacts } from './facts.ts';
import type { LineSign } from './finding.ts';
import type { JournalLine } from './journal.ts';
import { tellLine } from './log-lines.ts';
import { plainText } from './plain-json.ts';
import { STATE_TELLS } from './symptom.ts';
import { type SymptomId, symptomOf, symptomRows } from './symptoms.ts';

/** How long after its last line a symptom counts as present. */
const FRESH_MS = 600_000;
/** Evidence is cut here: panics bring their whole state along. */
const EVIDENCE_CHARACTERS = 400;
/** So many elections within an hour are more than restarts of members explain. */
const MANY_ELECTIONS = 4;
const ELECTION_WINDOW_MS = 3_600_000;

/** The symptoms that a line shows, by the table. */
export function symptomsOf(line: Pick<JournalLine, 'message' | 'fields'>): readonly SymptomId[] {
  const text = tellLine(line);
  return symptomRows.flatMap(({ id, lines }) => (lines?.some((each) => each.test(text)) === true ? [id] : []));
}

/** Reads lines to their end, in any order. */
export async function lineSigns(
  lines: AsyncIterable<JournalLine> | Iterable<JournalLine>,
  facts: Pick<Facts, 'hosts' | 'observedAt'>,
): Promise<readonly LineSign[]> {
  const seen = new Map<string, LineSign>();
  const elections = new Map<string, number[]>();
  for await (const line of lines) {
    const host = facts.hosts[line.host];
    for (const id of symptomsOf(line)) {
      if (isOwnProof(id, line, host)) continue;
      const key = `${id} ${line.host}`;
      const before = seen.get(key);
      seen.set(key, signOf(id, line, { count: (before?.count ?? 0) + 1, fresh: isFresh(id, line, { facts, host }) }));
    }
    if (line.message.includes('elected leader')) {
      elections.set(line.host, [...(elections.get(line.host) ?? []).slice(-99), line.at]);
    }
  }
  return [...seen.values(), ...churn(elections, facts)];
}

function signOf(id: SymptomId, line: JournalLine, more: { readonly count: number; readonly fresh: boolean }): LineSign {
  const text = plainText(`${line.level ?? ''} ${tellLine(line)}`.trim());
  const cut = text.length <= EVIDENCE_CHARACTERS ? text : `${text.slice(0, EVIDENCE_CHARACTERS - 1)}…`;
  return { id, host: line.host, at: line.at, text: cut, ...more };
}

/** A unit that does not run says nothing more, so its last words count however old they are. */
function isFresh(
  id: SymptomId,
  line: JournalLine,
  { facts, host }: { readonly facts: Pick<Facts, 'observedAt'>; readonly host: HostFacts | undefined },
): boolean {
  const { freshMs = FRESH_MS } = symptomOf(id);
  if (freshMs === STATE_TELLS) return false;
  if (host !== undefined && (host.unit.activeState === 'failed' || host.unit.activeState === 'inactive')) return true;
  const hostNow = facts.observedAt + (host?.clockOffsetMs ?? 0);
  return hostNow - line.at <= freshMs;
}

/**
 * Whether quorate itself was the one that was refused: its proofs come from the host's own addresses (loopback for the client
 * port), and other members never do.
 */
function isOwnProof(id: SymptomId, line: JournalLine, host: HostFacts | undefined): boolean {
  if (symptomOf(id).byProofs !== true) return false;
  const remote = line.fields.find(([name]) => name === 'remote-addr')?.[1] ?? /from "([^"]+)"/.exec(line.message)?.[1];
  if (remote === undefined) return false;
  const address = remote.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return address === '::1' || address.startsWith('127.') || (host?.addresses ?? []).includes(address);
}

/** Elections as one member saw them: the member that saw most. */
function churn(
  elections: ReadonlyMap<string, readonly number[]>,
  facts: Pick<Facts, 'observedAt' | 'hosts'>,
): readonly LineSign[] {
  const counts = [...elections].map(([host, times]) => {
    const hostNow = facts.observedAt + (facts.hosts[host]?.clockOffsetMs ?? 0);
    const recent = times.filter((at) => hostNow - at <= ELECTION_WINDOW_MS);
    return { host, count: recent.length, at: recent.at(-1) ?? 0 };
  });
  const most = counts.toSorted((left, right) => right.count - left.count)[0];
  if (most === undefined || most.count < MANY_ELECTIONS) return [];
  const text = `${most.count} leaders were elected within an hour`;
  return [{ id: 'leader-churn', host: most.host, at: most.at, text, count: most.count, fresh: true }];
}
