import { describe, expect, it } from 'vitest';
import { parseHierarchies } from '../../../src/lab/cgroup.ts';

const hybrid = `24 29 0:21 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 24 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
35 24 0:32 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd
36 24 0:33 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const unified = '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

describe('parseHierarchies', () => {
  it('finds both of systemd’s trees and the memory controller of version 1 on a hybrid machine', () => {
    expect(parseHierarchies(hybrid)).toEqual({
      tracking: ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'],
      memory: { path: '/sys/fs/cgroup/memory', file: 'memory.limit_in_bytes' },
    });
  });

  it('finds the one tree of a machine with version 2 alone', () => {
    expect(parseHierarchies(unified)).toEqual({
      tracking: ['/sys/fs/cgroup'],
      memory: { path: '/sys/fs/cgroup', file: 'memory.max' },
    });
  });

  it('finds nothing where nothing is mounted', () => {
    expect(parseHierarchies('24 1 8:1 / / rw - ext4 /dev/sda1 rw\n')).toEqual({ tracking: [], memory: undefined });
  });
});
