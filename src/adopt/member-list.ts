/** A cluster's members as the peer port of one of them tells them (`GET /members`; rafthttp, every minor). Pure; nothing is believed. */
import type { MemberFact } from '../domain/facts.ts';

/** What one member says of its cluster. */
export interface MemberList {
  /** 16 hexadecimal digits. */
  readonly clusterId: string;
  readonly members: readonly MemberFact[];
}

/** The answer with its headers; undefined for anything that is not such a list. */
export function parseMemberList(answer: string): MemberList | undefined {
  const blank = /\r?\n\r?\n/.exec(answer);
  if (blank === null) return undefined;
  const head = answer.slice(0, blank.index);
  const [, cluster] = /^x-etcd-cluster-id:\s*([0-9a-f]{1,16})\s*$/im.exec(head) ?? [];
  if (cluster === undefined || !/^HTTP\/1\.[01] 200\b/.test(head)) return undefined;
  const members = readMembers(bodyOf(head, answer.slice(blank.index + blank[0].length)));
  return members === undefined || members.length === 0 ? undefined : { clusterId: cluster.padStart(16, '0'), members };
}

/** A server that was asked in HTTP/1.1 may send it in pieces. */
function bodyOf(head: string, body: string): string {
  if (!/^transfer-encoding:\s*chunked/im.test(head)) return body;
  let text = '';
  for (let rest = body; ; ) {
    const [line, size] = /^([0-9a-f]{1,8})[^\r\n]*\r\n/i.exec(rest) ?? [];
    const length = Number.parseInt(size ?? '0', 16);
    if (line === undefined || length === 0) return text;
    text += rest.slice(line.length, line.length + length);
    rest = rest.slice(line.length + length + 2);
  }
}

/** IDs are numbers of 64 bits, which JSON.parse would round. */
function readMembers(body: string): readonly MemberFact[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body.replaceAll(/"id":\s*(\d{1,20})(?=[,}\s])/g, '"id":"$1"'));
    if (!Array.isArray(parsed)) return undefined;
    const members = parsed.map(toMember);
    return members.includes(undefined) ? undefined : members.filter((each) => each !== undefined);
  } catch {
    return undefined;
  }
}

function toMember(value: unknown): MemberFact | undefined {
  const record: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  const { id, name } = record;
  if (typeof id !== 'string' || !/^\d+$/.test(id) || BigInt(id) > 0xffff_ffff_ffff_ffffn) return undefined;
  return {
    id: BigInt(id).toString(16).padStart(16, '0'),
    name: typeof name === 'string' ? name : '',
    peerUrls: textsOf(record['peerURLs']),
    clientUrls: textsOf(record['clientURLs']),
    learner: record['isLearner'] === true,
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
