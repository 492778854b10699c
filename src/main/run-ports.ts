/** What the executor is given in a session with hosts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldLock } from '../apply/lock.ts';
import type { ExecutorPorts } from '../apply/ports.ts';
import { QuorateError } from '../domain/errors.ts';
import { parseProbe } from '../observe/parse-probe.ts';
import type { Transports } from '../transport/open.ts';
import type { RunInterrupts } from './interrupts.ts';
import { hostProbe, type LookInput, lookAgain } from './look.ts';
import { memberPort } from './member-port.ts';
import { moveLeader } from './move-leader.ts';
import type { SessionInput } from './session-input.ts';

interface Given {
  readonly input: SessionInput;
  readonly transports: Transports;
  readonly interrupts: RunInterrupts;
  readonly lock: Pick<HeldLock, 'requireHeld'>;
  readonly view: ExecutorPorts['view'];
  readonly emit: ExecutorPorts['emit'];
}

/** The ports of one run. */
export function runPorts({ input, transports, interrupts, lock, view, emit }: Given): ExecutorPorts {
  const { cluster, desired, operator, process } = input;
  const { connections } = transports;
  const { signal, stopping } = interrupts;
  const credentials = () => operator.credentialsIfAny();
  const lookInput: LookInput = { cluster, desired, transports, credentials, now: process.now };
  return {
    cluster,
    connections: Object.fromEntries(connections),
    operator: operator.port(connections),
    probe: (host, known) => ({
      script: hostProbe(input, host, { changesAlone: known !== undefined }),
      parse: (text, receivedAt) => parseProbe(text, { host, receivedAt, sentAt: undefined, known }),
    }),
    view,
    look: (facts, hosts) => lookAgain(lookInput, facts, hosts),
    moveLeader: async (leader, targetId) =>
      moveLeader({ leader, targetId }, { cluster, connections, signal, credentials: await credentials() }),
    members: memberPort({ cluster, connections, credentials, signal }),
    requireLock: () => lock.requireHeld(),
    wait: (ms) => waitUnlessAborted(ms, signal),
    emit,
    signal,
    stopping,
    now: process.now,
    failpoint: process.env['QUORATE_FAILPOINT'],
  };
}

async function waitUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (cause) {
    throw new QuorateError('interrupted', 'interrupted while waiting for the cluster', { cause });
  }
}
