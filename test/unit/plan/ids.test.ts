import { describe, expect, it } from 'vitest';
import { clusterId, memberId } from '../../../src/plan/ids.ts';

describe('IDs computed before the first start', () => {
  it('are those that etcd computes', () => {
    const urls = [[' http://127.0.0.1:12380'.trim()], ['http://127.0.0.1:22380'], ['http://127.0.0.1:32380']];
    const members = urls.map((each) => memberId(each, 'etcd-cluster-1'));
    expect(members).toEqual(['8211f1d0f64f3269', '91bc3c398fb3c146', 'fd422379fda50e48']);
    expect(clusterId(members)).toBe('ef37ad9dc622a7c4');
  });

  it('do not depend on the order of URLs and members', () => {
    expect(memberId(['https://b', 'https://a'], 't')).toBe(memberId(['https://a', 'https://b'], 't'));
    expect(clusterId(['91bc3c398fb3c146', '8211f1d0f64f3269'])).toBe(
      clusterId(['8211f1d0f64f3269', '91bc3c398fb3c146']),
    );
  });
});
