/** quorate unlock: shows who holds the lock, and releases it once its owner and its scripts are proved gone. */
import { QuorateError } from '../domain/errors.ts';
import type { Verb } from './command.ts';

export const unlock: Verb = async (_invocation, ports) => {
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: false, requireAll: false });
  try {
    const found = await session.unlock();
    if (ports.ui.mode === 'json') ports.ui.json({ locks: found });
    for (const each of found) ports.ui.out(`${each.host}: ${each.text}`);
    const held = found.filter((each) => each.outcome === 'held');
    if (held.length > 0) {
      throw new QuorateError('locked', `the lock is held on ${held.map((each) => each.host).join(', ')}`, {
        hint: 'its owner or one of its scripts is alive: wait for it, or end it on its own machine',
      });
    }
    const [unreachable] = session.failures;
    if (unreachable !== undefined) throw unreachable;
    return 0;
  } finally {
    await session.close();
  }
};
