/** Takes the probe's answer apart: markers, base64, records. Strict, because a cut or changed answer must never look like facts. */
import { QuorateError } from '../domain/errors.ts';
import { PROBE_BEGIN, PROBE_END } from './probe-body.ts';

/** Of every probe. */
const keys = [
  ...['uid', 'machine', 'hostname', 'machine-id', 'boot-id', 'os-release', 'memory-kib', 'missing-tools', 'key-tool'],
  ...['systemd', 'systemd-version', 'unit', 'user', 'group', 'data-dir', 'lib-dir', 'wal', 'entries', 'run', 'lock'],
  ...['stats', 'hashes', 'links', 'targets', 'texts', 'end'],
] as const;

/** Of one that looks at more than what changes of files. */
const wholeKeys = [
  ...['addresses', 'address-tables', 'disks', 'rotational', 'unwritable'],
  ...['sockets', 'owners', 'packages', 'defaults', 'clock', 'uptimes'],
] as const;

/** Records that stand only where they were asked for. */
const asked = ['old-log'] as const;

export type RecordKey = (typeof keys)[number] | (typeof wholeKeys)[number] | (typeof asked)[number];

const known: readonly string[] = [...keys, ...wholeKeys, ...asked];

/** The records of one answer. */
export interface ProbeRecords {
  /** The controller's name, for errors. */
  readonly host: string;
  /** The value of a record that stands exactly once; '' for one that was not asked for. */
  get(key: RecordKey): string;
  /** Its lines, without empty ones. */
  lines(key: RecordKey): readonly string[];
  /** One value for each etcd process. */
  readonly processes: readonly string[];
  /** The texts of the files that record `texts` names, one after another. */
  readonly texts: Buffer;
}

/** The base64 of a probe between its markers, wherever it stands in `output`; throws QuorateError `step-failed` where it is cut. */
function findProbe(output: string, host: string): string {
  const lines = output.split('\n');
  const begin = lines.lastIndexOf(PROBE_BEGIN);
  const end = lines.indexOf(PROBE_END, begin + 1);
  if (begin < 0) throw misread(host, 'it has no beginning');
  if (end < 0) throw misread(host, 'it was cut before its end');
  const text = lines.slice(begin + 1, end).join('');
  if (text !== '') return text;
  throw new QuorateError('refused', `${host}: base64 is missing on this host`, {
    host,
    hint: 'install coreutils on it',
  });
}

/** Reads every record of a probe that is `whole`, or not; throws QuorateError `step-failed` for an unknown, missing, double or malformed one. */
export function readRecords(output: string, host: string, whole: boolean): ProbeRecords {
  const { values, processes, texts } = unframe(decode(findProbe(output, host), host), host);
  const missing = [...keys, ...(whole ? wholeKeys : [])].find((key) => !values.has(key));
  if (missing !== undefined) throw misread(host, `record ${missing} is missing`);
  const get = (key: RecordKey) => values.get(key) ?? '';
  const lines = (key: RecordKey) =>
    get(key)
      .split('\n')
      .filter((each) => each !== '');
  return { host, get, lines, processes, texts };
}

/** The one error for an answer that is not understood; `what` says where. */
export function misread(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: the probe's answer is not understood: ${what}`, {
    host,
    hint: 'run it again; if it stays, run with --verbose and report what the host printed',
  });
}

interface Unframed extends Pick<ProbeRecords, 'processes' | 'texts'> {
  readonly values: ReadonlyMap<string, string>;
}

/** What stands behind the record `end` are the texts. */
function unframe(bytes: Buffer, host: string): Unframed {
  const values = new Map<string, string>();
  const processes: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = bytes.indexOf(10, at);
    const [, key, length] = /^([a-z-]{1,30}) (\d{1,8})$/.exec(bytes.toString('latin1', at, Math.max(header, at))) ?? [];
    if (key === undefined) throw misread(host, `no record begins at octet ${at}`);
    const end = header + 1 + Number(length);
    if (bytes[end] !== 10) throw misread(host, `record ${key} does not end where it should`);
    const value = bytes.toString('utf8', header + 1, end);
    if (key === 'process') processes.push(value);
    else if (values.has(key)) throw misread(host, `record ${key} stands twice`);
    else if (known.includes(key)) values.set(key, value);
    else throw misread(host, `record ${key} is unknown`);
    at = end + 1;
    if (key === 'end' && value === 'ok') return { values, processes, texts: bytes.subarray(at) };
  }
  throw misread(host, 'its last record is missing');
}

function decode(text: string, host: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw misread(host, 'a block is not base64');
  return Buffer.from(text, 'base64');
}
