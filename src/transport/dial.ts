/** Opening the TCP connection to an SSH server. */
import { connect, type Socket } from 'node:net';
import type { SshTarget } from '../domain/controller.ts';
import type { QuorateError } from '../domain/errors.ts';
import { systemCode } from '../domain/system-error.ts';
import { messageOf, stageFailure } from './failure.ts';

/** A connected socket without Nagle's algorithm, which would cost ssh2 40 ms a command. `who` names the far end in errors. */
export function dial(target: SshTarget, who: string, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: target.address,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      autoSelectFamilyAttemptTimeout: 2_000,
    });
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      reject(error);
    };
    const abort = (): void =>
      fail(stageFailure('connect', `connecting to ${who} was interrupted`, { code: 'interrupted' }));
    const timer = setTimeout(() => fail(connectTimedOut(who, target.connectTimeoutMs)), target.connectTimeoutMs);
    socket.on('error', (error) => fail(dialFailure(who, error)));
    socket.once('connect', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(socket);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** The error for a host that does not answer in time. */
export function connectTimedOut(who: string, timeoutMs: number): QuorateError {
  return stageFailure('connect', `${who} did not answer within ${timeoutMs / 1000} s`, {
    hint: 'check the address, the port and the firewalls in between, or raise `connectTimeout`',
  });
}

function dialFailure(who: string, error: unknown): QuorateError {
  const code = systemCode(error) ?? messageOf(error);
  return stageFailure('connect', dialMessages[code]?.(who) ?? `cannot connect to ${who}: ${code}`, { cause: error });
}

const dialMessages: Readonly<Record<string, (who: string) => string>> = {
  ECONNREFUSED: (who) => `${who} refused the connection: nothing listens there`,
  ECONNRESET: (who) => `${who} reset the connection`,
  ETIMEDOUT: (who) => `${who} did not answer: connection timed out`,
  EHOSTUNREACH: (who) => `no route to ${who}`,
  ENETUNREACH: (who) => `no route to the network of ${who}`,
  ENOTFOUND: (who) => `the name of ${who} does not resolve`,
  EAI_AGAIN: (who) => `the name of ${who} does not resolve: the DNS server did not answer`,
};
