/** One record of `journalctl -o json`. */
import type { JournalLine, LogLevel } from './journal.ts';
import { readLogText } from './log-lines.ts';

/**
 * The line that a record holds, its text passed through `redact` before it is taken apart; undefined for what is no record.
 * journald writes texts with control characters as lists of octets, and a field that came twice as a list of its values.
 */
export function readRecord(json: string, host: string, redact: (text: string) => string): JournalLine | undefined {
  const record = parse(json);
  const micros = Number(record?.get('__REALTIME_TIMESTAMP'));
  const text = textOf(record?.get('MESSAGE'));
  if (record === undefined || text === undefined || !Number.isFinite(micros)) return undefined;
  const source = textOf(record.get('SYSLOG_IDENTIFIER')) ?? '';
  const told = readLogText(redact(text));
  const level = told.level ?? (source === 'systemd' ? levelOf(Number(record.get('PRIORITY'))) : undefined);
  return { host, at: micros / 1000, source, ...told, level };
}

/** syslog's priorities (RFC 5424, section 6.2.1); etcd's own lines all have that of stderr, so they are told by their text alone. */
function levelOf(priority: number): LogLevel | undefined {
  if (!Number.isInteger(priority)) return undefined;
  if (priority <= 2) return 'fatal';
  if (priority === 3) return 'error';
  if (priority === 4) return 'warn';
  return priority === 7 ? 'debug' : 'info';
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  if (!value.every((each) => Number.isInteger(each))) return textOf(value[0]);
  return Buffer.from(value.map(Number)).toString('utf8');
}

function parse(json: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}
