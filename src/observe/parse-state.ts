/** Reads what quorate itself noted on a host: records, lock, and what the running process was started with. */
import type { AttemptRecord, HostRecords, LockRecord, MarkerRecord, RunRecord } from '../domain/facts.ts';
import { ATTEMPT_FILE, MARKER_FILE, STARTING_FILE } from '../domain/layout.ts';
import type { ParsedFiles } from './parse-files.ts';
import { misread, type ProbeRecords } from './probe-records.ts';

/** The durable notes. Throws QuorateError `step-failed` for one that is not ours: what cannot be read must not look like none. */
export function parseNotes(records: ProbeRecords, { files, texts }: Pick<ParsedFiles, 'files' | 'texts'>): HostRecords {
  const read = (path: string) => {
    const text = texts[path];
    if (text !== undefined) return readNote(text, path, records.host);
    if (files[path] === undefined) return undefined;
    throw misread(records.host, `${path} is there and cannot be read`);
  };
  const marker = read(MARKER_FILE);
  return {
    attempt: attemptOf(read(ATTEMPT_FILE)),
    starting: attemptOf(read(STARTING_FILE)),
    marker: marker === undefined ? undefined : markerOf(marker),
    lock: parseLock(records),
  };
}

/** The start record of the process that runs under `invocationId`; undefined where the record is of another start. */
export function parseRun(text: string, invocationId: string): RunRecord | undefined {
  const values = new Map(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^([a-z0-9_]+)=(\S*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    }),
  );
  const value = (key: string) => values.get(key) ?? '';
  if (invocationId === '' || value('invocation_id') !== invocationId) return undefined;
  return {
    invocationId,
    configSha256: value('config_sha256'),
    caSha256: value('ca_sha256'),
    peerCaSha256: value('peer_ca_sha256'),
    binarySha256: value('binary_sha256'),
    unitSha256: value('unit_sha256'),
  };
}

type Note = Readonly<Record<string, string>>;

function readNote(text: string, path: string, host: string): Note {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw misread(host, `${path} is no JSON object`);
  }
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function attemptOf(note: Note | undefined): AttemptRecord | undefined {
  if (note === undefined) return undefined;
  const { uuid = '', token = '', clusterId = '', memberId = '' } = note;
  return { uuid, token, clusterId, memberId };
}

function markerOf(note: Note): MarkerRecord {
  const { uuid = '', token = '', clusterId = '', memberId = '', cluster = '', healthyAt = '' } = note;
  return { uuid, token, clusterId, memberId, cluster, healthyAt };
}

/** Lines: token, owner, command, since, whether the holder is alive, pids of living scripts. */
function parseLock(records: ProbeRecords): LockRecord | undefined {
  const text = records.get('lock');
  if (text === '') return undefined;
  const [token = '', owner = '', command = '', since = '', holder, pids = '', ...rest] = text.split('\n');
  if ((holder !== 'yes' && holder !== 'no') || rest.length > 0 || !/^[\d ]*$/.test(pids)) {
    throw misread(records.host, 'the lock');
  }
  const scripts = pids.split(' ').flatMap((each) => (each === '' ? [] : [Number(each)]));
  return { token, owner, command, since, holderAlive: holder === 'yes', scripts };
}
