import { describe, expect, it } from 'vitest';
import type { HeldLock } from '../../../src/apply/lock.ts';
import { type Looked, lockAndLook } from '../../../src/main/locking.ts';

const hosts = ['etcd-1', 'etcd-2'];

function steps() {
  const done: string[] = [];
  const lock: HeldLock = {
    ...{ token: 't', takenOver: [], requireHeld: () => undefined },
    release: async () => void done.push('released'),
  };
  const look = async (looked: Looked) => {
    const looks = hosts.toReversed().map(async (host) => {
      done.push(await looked(host));
    });
    await Promise.all(looks);
    return 'seen';
  };
  return { done, lock, look };
}

const moment = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('looking while locking', () => {
  it('takes what each host told when it was locked, while the next one is', async () => {
    const { done, lock, look } = steps();
    const both = await lockAndLook(
      hosts,
      async (onLooked) => {
        for (const host of hosts) {
          await moment();
          done.push(`lock ${host}`);
          onLooked(host, Promise.resolve(`look at ${host}`));
        }
        await moment();
        done.push('locked');
        return lock;
      },
      look,
    );
    expect(both).toEqual({ lock, seen: 'seen' });
    expect(done).toEqual(['lock etcd-1', 'look at etcd-1', 'lock etcd-2', 'look at etcd-2', 'locked']);
  });

  it('looks no further where a lock is not had, and says why that is', async () => {
    const { done, look } = steps();
    const locking = lockAndLook(
      hosts,
      async (onLooked) => {
        onLooked('etcd-1', Promise.resolve('look at etcd-1'));
        await moment();
        throw new Error('etcd-2: locked by someone');
      },
      look,
    );
    await expect(locking).rejects.toThrow('etcd-2: locked by someone');
    await moment();
    expect(done).toEqual(['look at etcd-1']);
  });

  it('gives the lock back where looking fails', async () => {
    const { done, lock } = steps();
    const locking = lockAndLook(
      hosts,
      async () => lock,
      async () => {
        throw new Error('the hosts have changed');
      },
    );
    await expect(locking).rejects.toThrow('the hosts have changed');
    expect(done).toEqual(['released']);
  });
});
