/** Reads one value of an etcd key as an operator writes it, and gives it back in the only form that etcd's parser takes. */
import type { EtcdKeyType } from './etcd-keys-table.ts';

/** What may stand in the rendered configuration. */
export type EtcdValue = string | number | boolean | readonly string[] | Readonly<Record<string, string | boolean>>;

export type ValueReading = { readonly value: EtcdValue } | { readonly problem: string; readonly remedy: string };

/** The value in etcd's form, or what is wrong with it and what would be right. */
export function readEtcdValue(type: EtcdKeyType, value: unknown): ValueReading {
  if (typeof type !== 'string') return readChoice(type, value);
  return readers[type](value);
}

const readers: Readonly<Record<Extract<EtcdKeyType, string>, (value: unknown) => ValueReading>> = {
  string: (value) => (isPlainText(value) ? { value } : wrong(value, 'a string in one line', 'write it in quotes')),
  bool: (value) => (typeof value === 'boolean' ? { value } : wrong(value, 'a boolean', 'write true or false')),
  uint: (value) =>
    isInteger(value) && value >= 0 ? { value } : wrong(value, 'a whole number, 0 or more', 'write 1000'),
  int: (value) => (isInteger(value) ? { value } : wrong(value, 'a whole number', 'write 1000')),
  duration: readDuration,
  milliseconds: readMilliseconds,
  bytes: readBytes,
  retention: readRetention,
  'string-list': readStringList,
  'comma-list': readCommaList,
  'socket-options': readSocketOptions,
};

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const durationShape = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+$/;

/** Nanoseconds of a Go duration such as `1m30s`; undefined where it is none, or more than JavaScript counts exactly (104 days). */
export function parseDuration(text: string): number | undefined {
  if (!durationShape.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(amount) * (nanoseconds[unit ?? ''] ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : undefined;
}

function readDuration(value: unknown): ValueReading {
  const parsed = typeof value === 'string' ? parseDuration(value) : value;
  if (!isInteger(parsed) || parsed < 0) return wrong(value, 'a duration', 'write 5s, 1m30s or 12h (at most 2400h)');
  if (typeof value === 'number' && value > 0 && value < 1e6) {
    return { problem: `a bare ${value} means ${value} nanoseconds to etcd`, remedy: `write ${value}s or ${value}ms` };
  }
  return { value: parsed };
}

function readMilliseconds(value: unknown): ValueReading {
  const parsed = typeof value === 'string' ? (parseDuration(value) ?? Number.NaN) / 1e6 : value;
  if (isInteger(parsed) && parsed > 0) return { value: parsed };
  return wrong(value, 'a whole number of milliseconds above 0', 'write 100 or 100ms');
}

const byteUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

function readBytes(value: unknown): ValueReading {
  const match = typeof value === 'string' ? /^(\d{1,12})\s?([KMG]iB|kB|MB|GB|B)$/.exec(value) : null;
  const parsed = match === null ? value : Number(match[1]) * (byteUnits[match[2] ?? ''] ?? Number.NaN);
  if (isInteger(parsed) && parsed >= 0) return { value: parsed };
  return wrong(value, 'a number of bytes', 'write 8GiB, 512MiB or a whole number of bytes');
}

function readRetention(value: unknown): ValueReading {
  if (isInteger(value) && value >= 0) return { value: String(value) };
  if (typeof value === 'string' && (/^\d{1,15}$/.test(value) || parseDuration(value) !== undefined)) return { value };
  return wrong(value, 'a duration or a number of revisions', 'write 8h with mode periodic, or 1000 with mode revision');
}

function readStringList(value: unknown): ValueReading {
  if (Array.isArray(value) && value.every(isListItem)) return { value };
  return wrong(value, 'a list of strings', 'write [first, second]');
}

function readCommaList(value: unknown): ValueReading {
  const items: readonly unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
  const words = items.filter(isListItem);
  if (items.length > 0 && words.length === items.length) return { value: words.join(',') };
  return wrong(value, 'a list of words', 'write [first, second]');
}

/** A comma-list of origins. */
export function readOrigins(value: unknown): ValueReading {
  const list = readCommaList(value);
  const text = 'value' in list ? String(list.value) : '';
  if (text === '*' || text.split(',').every((each) => originShape.test(each))) return list;
  return wrong(value, '* alone, or a list of origins with their ports', 'write [https://console.example.org:443]');
}

const originShape = /^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/;

const socketOptions: readonly string[] = ['reuse-address', 'reuse-port'];

function readSocketOptions(value: unknown): ValueReading {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const options: Record<string, boolean> = {};
  for (const [key, set] of entries) if (socketOptions.includes(key) && typeof set === 'boolean') options[key] = set;
  if (entries.length > 0 && Object.keys(options).length === entries.length) return { value: options };
  return wrong(value, `a mapping of ${socketOptions.join(' and ')}`, 'write {reuse-address: true}');
}

function readChoice(choices: readonly string[], value: unknown): ValueReading {
  const chosen = choices.find((choice) => choice === value);
  return chosen === undefined ? wrong(value, `one of ${choices.join(', ')}`, `write ${choices[0]}`) : { value: chosen };
}

function wrong(value: unknown, expected: string, remedy: string): ValueReading {
  return { problem: `must be ${expected}, not ${describe(value)}`, remedy };
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? `the string ${JSON.stringify(value.slice(0, 60))}` : String(value);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Text without control characters, which no key of etcd's needs, line ends included. */
function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && !/\p{Cc}|\u2028|\u2029/u.test(value);
}

function isListItem(value: unknown): value is string {
  return isPlainText(value) && /^[^\s,]+$/.test(value);
}
