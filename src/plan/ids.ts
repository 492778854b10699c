/**
 * The IDs that etcd gives to a new cluster and its first members, computed before the first start. They are deterministic:
 * etcd server/etcdserver/api/membership/{member,cluster}.go (3.4 to 3.7), computeMemberId and genID.
 */
import { createHash } from 'node:crypto';

/**
 * ID of a member of the *first* configuration, 16 hexadecimal digits: the first 8 octets of sha1 over its sorted peer URLs
 * and the cluster's token, all written one after the other. Members added later mix in the time and cannot be computed.
 */
export function memberId(peerUrls: readonly string[], token: string): string {
  return firstEight(Buffer.from([...peerUrls].sort().join('') + token, 'utf8'));
}

/**
 * ID of the cluster that those members form, 16 hexadecimal digits: the first 8 octets of sha1 over their IDs in ascending
 * order, 8 octets each, big-endian.
 */
export function clusterId(memberIds: readonly string[]): string {
  return firstEight(Buffer.from([...memberIds].sort().join(''), 'hex'));
}

function firstEight(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex').slice(0, 16);
}
