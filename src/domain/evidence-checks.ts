/** Checks that need more than facts: hashes, proofs, drift, certificates. */
import { type Check, judged } from './check.ts';
import { compareHashes, type MemberHash } from './divergence.ts';

/** What was answered, or why there is no answer. */
export type Answer<T> = { readonly value: T } | { readonly failure: string };

/** All members that answer hold the same data. */
export function divergenceCheck(answer: Answer<readonly MemberHash[]>): Check {
  const check = { id: 'divergence', title: 'all members hold the same data (HashKV at one revision)' };
  if ('failure' in answer) return { ...check, state: 'skipped', seen: 'not seen', details: [answer.failure] };
  const hashes = answer.value;
  const { state, differing, majority } = compareHashes(hashes);
  const at = `revision ${hashes[0]?.revision ?? 0}`;
  if (state === 'not-comparable') {
    return {
      ...check,
      state: 'skipped',
      seen: at,
      details: ['members were compacted to different revisions meanwhile: run it again'],
    };
  }
  if (hashes.length < 2)
    return { ...check, state: 'skipped', seen: at, details: ['one member has nobody to differ from'] };
  if (state === 'equal')
    return { ...check, state: 'ok', seen: `equal on ${hashes.length} members at ${at}`, details: [] };
  const own = new Map(hashes.map((each) => [each.host, each]));
  const told = differing.map((host) => `${host} (${own.get(host)?.memberId}): hash ${own.get(host)?.hash} at ${at}`);
  const whose = majority ? `${differing.join(', ')} differs from the majority` : 'no majority agrees';
  return { ...check, state: 'critical', seen: whose, details: told };
}

/** Everything that bootstrap proves holds now. */
export function proofCheck(answer: Answer<readonly string[]>, { readOnly }: { readonly readOnly: boolean }): Check {
  const title = 'identity, agreement, mutual TLS on both ports, served certificates';
  const check = { id: 'proof', title: readOnly ? title : `${title}, a write that every member reads` };
  if ('failure' in answer) return { ...check, state: 'critical', seen: 'not proved', details: [answer.failure] };
  const seen = answer.value.length === 0 ? `proved${readOnly ? ', without a write' : ''}` : 'not proved';
  return judged({ ...check, seen }, { state: 'critical', details: answer.value });
}

/** Hosts are as the inventory wants them. */
export function driftCheck(answer: Answer<readonly string[]>): Check {
  const check = { id: 'drift', title: 'hosts are as the inventory wants them' };
  if ('failure' in answer) return { ...check, state: 'warning', seen: 'not compared', details: [answer.failure] };
  const { length } = answer.value;
  const seen = length === 0 ? 'nothing to do' : `${length} steps`;
  return judged({ ...check, seen }, { state: 'warning', details: answer.value });
}
