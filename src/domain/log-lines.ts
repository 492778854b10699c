/** Reads what etcd and systemd write to a journal: zap's JSON (3.4 on), zap's console format (3.6 on), capnslog (3.4), bare text. */
import type { JournalLine, LogLevel } from './journal.ts';

/** The parts of a line that its text tells. */
export type LogText = Pick<JournalLine, 'level' | 'message' | 'fields'>;

/** Never throws: what is understood in no other way is a message without level. */
export function readLogText(text: string): LogText {
  return readZap(text) ?? readConsole(text) ?? readCapnslog(text) ?? { level: undefined, message: text, fields: [] };
}

const zapLevels: Readonly<Record<string, LogLevel>> = {
  ...{ debug: 'debug', info: 'info', warn: 'warn', error: 'error', dpanic: 'fatal', panic: 'fatal', fatal: 'fatal' },
};

/** Where and when it was written: the journal has its own time, and the rest is for etcd's developers. */
const omitted = ['level', 'ts', 'logger', 'caller', 'msg', 'stacktrace'];

/** `{"level":"warn","ts":"…","caller":"…","msg":"…","field":…}` */
function readZap(text: string): LogText | undefined {
  if (!text.startsWith('{"level":"')) return undefined;
  const entry = parseObject(text);
  if (entry === undefined || typeof entry['msg'] !== 'string') return undefined;
  return { level: zapLevels[String(entry['level'])], message: entry['msg'], fields: fieldsOf(entry) };
}

/** `2026-11-21T11:00:00.000Z<tab>warn<tab>caller.go:1<tab>message<tab>{"field":…}` */
function readConsole(text: string): LogText | undefined {
  const [time = '', word = '', , message, rest] = text.split('\t');
  const level = zapLevels[word.toLowerCase()];
  if (level === undefined || message === undefined || !/^\d{4}-\d\d-\d\dT/.test(time)) return undefined;
  const entry = rest === undefined ? {} : parseObject(rest);
  return { level, message, fields: fieldsOf(entry ?? {}) };
}

/** capnslog's letters (github.com/coreos/pkg/capnslog: critical, error, warning, notice, info, debug, trace). */
const letters: Readonly<Record<string, LogLevel>> = {
  ...{ C: 'fatal', E: 'error', W: 'warn', N: 'info', I: 'info', D: 'debug', T: 'debug' },
};

/** `2026-11-21 11:00:00.123456 W | rafthttp: message` */
function readCapnslog(text: string): LogText | undefined {
  const [, letter = '', message = ''] = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([CEWNIDT]) \| (.*)$/s.exec(text) ?? [];
  const level = letters[letter];
  return level === undefined ? undefined : { level, message, fields: [] };
}

function fieldsOf(entry: Readonly<Record<string, unknown>>): LogText['fields'] {
  return Object.entries(entry).flatMap(([name, value]) => (omitted.includes(name) ? [] : [[name, textOf(value)]]));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '(nested too deeply)'; // JSON.parse reads what JSON.stringify has no stack for
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value));
  } catch {
    return undefined;
  }
}

/** `message key=value key="with blanks"`: one line, whatever is in it. */
export function tellLine({ message, fields }: Pick<JournalLine, 'message' | 'fields'>): string {
  return [oneLine(message), ...fields.map(([name, value]) => `${oneLine(name)}=${quoted(value)}`)].join(' ');
}

function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** A line break in a message must not look like the line of another host. */
function oneLine(text: string): string {
  return text.replaceAll(/\r?\n/g, '\u240a').replaceAll('\r', '\u240d');
}
