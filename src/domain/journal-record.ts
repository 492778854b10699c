/** One record of `journalctl -o json`. */
import type { JournalLine, LogLevel } from './journal.ts';
import { type LogText, readLogText } from './log-lines.ts';

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
  const told = withoutSecrets(readLogText(redact(text)), redact);
  const level = told.level ?? (source === 'systemd' ? levelOf(Number(record.get('PRIORITY'))) : undefined);
  return { host, at: instantOf(micros), source, ...told, level };
}

/** What was escaped in the text may be a secret once it is taken apart. */
function withoutSecrets(told: LogText, redact: (text: string) => string): LogText {
  const fields = told.fields.map(([name, value]) => [redact(name), redact(value)] as const);
  return { ...told, message: redact(told.message), fields };
}

/** The last instant that a Date can tell (ECMA-262, 21.4.1.1). */
const LAST_INSTANT_MS = 8_640_000_000_000_000;

/** A time that no clock shows is 1970: its line is shown all the same. */
function instantOf(micros: number): number {
  const ms = micros / 1000;
  return ms >= 0 && ms <= LAST_INSTANT_MS ? ms : 0;
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
  const [first]: readonly unknown[] = Array.isArray(value) ? value : [];
  return oneText(value) ?? oneText(first);
}

function oneText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || !value.every((each) => Number.isInteger(each))) return undefined;
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
