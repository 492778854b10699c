/** The last words of a unit: what its own log says of why it does not serve. */
import { QuorateError } from '../domain/errors.ts';
import { quote } from '../domain/shell-quote.ts';
import type { Connection } from '../transport/transport.ts';

const READ_TIMEOUT_MS = 10_000;
/** Of etcd's messages, and of systemd's about the unit. */
const LINES = 4;
const LINE_LENGTH = 400;

/** Shell that prints the last warnings and errors of etcd (JSON from 3.5 on, capnslog's text in 3.4), or whatever was logged last where there are none. */
export function lastWordsScript(unit: string): string {
  const read = `journalctl -u ${quote(unit)} -n 200 -o cat --no-pager 2>/dev/null`;
  const bad = `grep -E '"level":"(warn|error|fatal|panic)"| [WEFC] \\||^(Error|panic)|Failed with|Main process exited'`;
  return `{ { ${read} | ${bad} || ${read}; } | tail -n ${LINES} | cut -c 1-${LINE_LENGTH}; }`;
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
