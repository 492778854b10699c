/** The last words of a unit: what its own log says of why it does not serve. */
import { QuorateError } from '../domain/errors.ts';
import { quote } from '../domain/shell-quote.ts';
import type { Connection } from '../transport/transport.ts';

const READ_TIMEOUT_MS = 10_000;
/** Of etcd's messages, and of systemd's about the unit. */
const LINES = 4;
const LINE_LENGTH = 400;

/** What etcd says of what is wrong: JSON from 3.5 on, capnslog's text in 3.4, and what Go prints where it gives up. */
const OBJECTIONS = `"level":"(warn|error|fatal|panic)"| [WEFC] \\||^(Error|panic)`;
/** What systemd says of how a process ended. */
const ENDS = 'Failed with|Main process exited';
/** What systemd says of every start and stop. */
const NOISE = '^(Starting|Started|Stopping|Stopped|Failed to start) |Scheduled restart job|Consumed .* CPU time';

/**
 * Shell that prints the last warnings and errors of etcd since the unit was last stopped in good order, or whatever was said since then where there are none: a
 * program that does not even begin says so in words of its own.
 */
export function lastWordsScript(unit: string): string {
  const since = `sed -n '/: Deactivated successfully/{s/.*//;h;d;};H;\${x;p;}'`;
  const read = `journalctl -u ${quote(unit)} -n 200 -o cat --no-pager 2>/dev/null | ${since}`;
  const chosen = `if ${read} | grep -qE '${OBJECTIONS}'; then ${read} | grep -E '${OBJECTIONS}|${ENDS}'; else ${read} | grep -vE '${NOISE}|^$'; fi`;
  return `{ ${chosen}; } | tail -n ${LINES} | cut -c 1-${LINE_LENGTH}`;
}

/** The same read from here, a line each; empty where the host cannot be asked any more. */
export async function lastWords(connection: Connection | undefined, unit: string): Promise<readonly string[]> {
  if (connection === undefined) return [];
  try {
    const script = { script: lastWordsScript(unit), root: true, label: 'reading the log' };
    const { stdout } = await connection.run(script, { timeoutMs: READ_TIMEOUT_MS });
    return stdout.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return [];
  }
}
