/** Reads what the survey's scripts say of a host. Strict in form, and believing nothing: whoever owns the host wrote it. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { type Invocation, runsMember } from './settings.ts';
import { SURVEY_BEGIN, SURVEY_END } from './survey-script.ts';

/** What runs an etcd: a systemd unit, the kubelet, some container engine, or nobody who would start it again. */
export type Supervisor = 'systemd' | 'static-pod' | 'container' | 'process';

/** One etcd that runs on a host. */
export interface FoundProcess extends Invocation {
  readonly pid: number;
  readonly executable: string;
  readonly user: string;
  readonly cwd: string;
  readonly supervisor: Supervisor;
  /** `etcd.service`; '' for none. */
  readonly unit: string;
  readonly fragmentPath: string;
  readonly dropIns: readonly string[];
  /** `3.5.16`; '' where it does not tell. */
  readonly version: string;
}

export interface HostSurvey {
  readonly hostname: string;
  /** Without loopback and link-local ones. */
  readonly addresses: readonly string[];
  readonly processes: readonly FoundProcess[];
  /** Paths that quorate would use and that are there already, with what they are. */
  readonly there: Readonly<Record<string, string>>;
  /** Names of units that could be an etcd's, as systemd lists them. */
  readonly units: readonly string[];
  /** Where kubeadm's manifest of an etcd lies; '' for none. */
  readonly manifest: string;
}

/** A path that a member refers to, as `stat` sees it behind links. */
export interface SeenPath {
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

export interface HostDetails {
  readonly seen: Readonly<Record<string, SeenPath>>;
  /** PEM of certificates alone, by path. */
  readonly certificates: Readonly<Record<string, string>>;
  /** What the peer port answered; '' where it was not asked or did not answer. */
  readonly answer: string;
}

type SurveyRecord = readonly [key: string, value: Buffer];

/** @throws QuorateError step-failed where the answer is cut or is none */
export function parseSurvey(output: string, host: string): HostSurvey {
  const records = readSurvey(output, host);
  const processes: Map<string, Buffer>[] = [];
  const own = new Map<string, Buffer>();
  const there: Record<string, string> = {};
  for (const [key, value] of records) {
    if (key === 'process') processes.push(new Map([[key, value]]));
    else if (key === 'there') {
      const [path = '', ...kind] = value.toString('utf8').split(' ');
      there[path] = kind.join(' ');
    } else if (['hostname', 'addresses', 'units', 'manifest'].includes(key)) own.set(key, value);
    else processes.at(-1)?.set(key, value);
  }
  return {
    hostname: lineOf(own.get('hostname')),
    addresses: linesOf(own.get('addresses')).flatMap((each) => /\binet6? ([0-9a-fA-F.:]+)\//.exec(each)?.[1] ?? []),
    processes: processes.map(toProcess).filter((each) => each.pid > 0 && runsMember(each.arguments)),
    there,
    units: linesOf(own.get('units')).flatMap((each) => /^(\S+\.service)\s/.exec(`${each} `)?.[1] ?? []),
    manifest: lineOf(own.get('manifest')),
  };
}

/** @throws QuorateError step-failed where the answer is cut or is none */
export function parseDetails(output: string, host: string): HostDetails {
  const seen: Record<string, SeenPath> = {};
  const certificates: Record<string, string> = {};
  let answer = '';
  let path = '';
  for (const [key, value] of readSurvey(output, host)) {
    const text = value.toString('utf8');
    if (key === 'seen') {
      const [, where = '', kind = '', mode = '', owner = '', group = ''] =
        /^([^|]+)\|([^|]*)\|(\d+)\|([^|]*)\|([^|]*)$/.exec(text) ?? [];
      if (where !== '') seen[where] = { kind, mode: mode.padStart(4, '0'), owner, group };
    } else if (key === 'certificate') path = text;
    else if (key === 'text' && text.includes('BEGIN CERTIFICATE')) certificates[path] = text;
    else if (key === 'answer') answer = text;
  }
  return { seen, certificates, answer };
}

/** The private key that was asked for; '' where there is none. @throws QuorateError step-failed where the answer is cut */
export function parseKey(output: string, host: string): string {
  return readSurvey(output, host)
    .flatMap(([key, value]) => (key === 'key' ? [value.toString('utf8')] : []))
    .join('');
}

function toProcess(record: ReadonlyMap<string, Buffer>): FoundProcess {
  const pid = lineOf(record.get('process'));
  const groups = linesOf(record.get('cgroup'));
  const unit = propertiesOf(record.get('unit'));
  const supervisor = supervisorOf(groups);
  const words = (record.get('arguments') ?? Buffer.alloc(0)).toString('utf8').split('\0');
  return {
    pid: /^[1-9]\d{0,9}$/.test(pid) ? Number(pid) : 0,
    executable: lineOf(record.get('executable')).replace(/ \(deleted\)$/, ''),
    user: lineOf(record.get('user')),
    cwd: lineOf(record.get('cwd')),
    supervisor,
    unit: supervisor === 'systemd' ? (unit.get('Id') ?? '') : '',
    fragmentPath: unit.get('FragmentPath') ?? '',
    dropIns: (unit.get('DropInPaths') ?? '').split(' ').filter((each) => each !== ''),
    version: /etcd Version: (\d+\.\d+\.\d+\S*)/.exec(lineOf(record.get('version')))?.[1] ?? '',
    // The kernel ends the last word with a zero octet too.
    arguments: words.slice(1, words.at(-1) === '' ? -1 : undefined),
    environment: variablesOf(record.get('environment')),
    configText: record.get('config')?.toString('utf8'),
  };
}

/** By the control group: `…/kubepods…/…`, an engine's scope, or a unit. */
function supervisorOf(groups: readonly string[]): Supervisor {
  const text = groups.join('\n');
  if (/\/kubepods|kubelet\.slice/.test(text)) return 'static-pod';
  if (/\/(docker|libpod|crio|containerd|machine\.slice)|docker-[0-9a-f]{12,}\.scope|libpod-/.test(text))
    return 'container';
  return /\.service(\/|$)/m.test(text) && !/\/user@\d+\.service\//.test(text) ? 'systemd' : 'process';
}

function variablesOf(value: Buffer | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    linesOf(value).flatMap((each) => {
      const [, name, text = ''] = /^(ETCD_[A-Z0-9_]+)=(.*)$/.exec(each) ?? [];
      return name === undefined ? [] : [[name, text] as const];
    }),
  );
}

function propertiesOf(value: Buffer | undefined): ReadonlyMap<string, string> {
  return new Map(
    linesOf(value).flatMap((each) => {
      const equals = each.indexOf('=');
      return equals < 1 ? [] : [[each.slice(0, equals), each.slice(equals + 1)] as const];
    }),
  );
}

function linesOf(value: Buffer | undefined): readonly string[] {
  return (value?.toString('utf8') ?? '').split('\n').filter((each) => each !== '');
}

function lineOf(value: Buffer | undefined): string {
  return linesOf(value)[0]?.trim() ?? '';
}

function readSurvey(output: string, host: string): readonly SurveyRecord[] {
  const lines = output.split('\n');
  const begin = lines.lastIndexOf(SURVEY_BEGIN);
  const end = lines.indexOf(SURVEY_END, begin + 1);
  const records = lines.slice(begin + 1, Math.max(end, 0)).map((line): SurveyRecord | undefined => {
    const [, key, text = ''] = /^([a-z]{1,20}) ([A-Za-z0-9+/]*={0,2})$/.exec(line) ?? [];
    return key === undefined ? undefined : [key, Buffer.from(text, 'base64')];
  });
  const sound = records.filter((each) => each !== undefined);
  if (begin >= 0 && end > begin && sound.length === records.length && sound.at(-1)?.[0] === 'end') return sound;
  throw new QuorateError('step-failed', `${host}: what it says of its etcd is not understood`, {
    host,
    hint: 'the host needs base64, sed, stat and tr (coreutils, sed); run it again with --verbose to see more',
  });
}
