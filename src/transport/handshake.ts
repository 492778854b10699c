/** From a byte stream to a logged-in ssh2 client: key exchange, host key, authentication. */
import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import type { SshTarget } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { connectTimedOut } from './dial.ts';
import { messageOf, stageFailure } from './failure.ts';
import { noKnownKeyType } from './host-key-refusals.ts';
import type { HostKeyCheck } from './host-keys.ts';
import type { Login } from './login.ts';

/** Everything that decides over one handshake. */
export interface HandshakeInput {
  readonly client: Client;
  readonly socket: Duplex;
  readonly target: SshTarget;
  /** Names the far end in errors. */
  readonly who: string;
  readonly hostKey: HostKeyCheck;
  readonly login: Login;
  readonly signal: AbortSignal | undefined;
  /** A dead connection is noticed after about three times this. */
  readonly keepAliveIntervalMs: number;
}

/**
 * Resolves once the client is logged in. A new host key is written down as soon as the host has proved that it holds
 * it, whether or not the login succeeds. Rejects with a QuorateError that does not name the host; the client is closed
 * then. Time spent on asking for secrets does not count towards the timeout.
 */
export async function handshake(input: HandshakeInput): Promise<void> {
  try {
    await negotiate(input);
  } catch (error) {
    input.client.destroy();
    input.socket.destroy();
    throw error;
  }
}

function negotiate(input: HandshakeInput): Promise<void> {
  const { client, who, hostKey, login, signal } = input;
  return new Promise((resolve, reject) => {
    let recording: Promise<void> | undefined;
    const fail = (error: unknown): void => {
      clock.stop();
      signal?.removeEventListener('abort', abort);
      reject(error);
    };
    const abort = (): void =>
      fail(stageFailure('connect', `the login to ${who} was interrupted`, { code: 'interrupted' }));
    const clock = createClock(input.target.connectTimeoutMs, () => fail(timedOut(input, recording !== undefined)));

    client.on('handshake', () => {
      recording = hostKey.record();
      recording.catch(fail);
    });
    client.on('ready', () => {
      clock.stop();
      signal?.removeEventListener('abort', abort);
      Promise.resolve(recording).then(resolve, reject);
    });
    client.on('error', (error) => {
      if (error.level === 'agent') login.remark(error.message);
      else fail(handshakeFailure(input, error, recording !== undefined));
    });
    client.on('close', () => fail(closedEarly(input, recording !== undefined)));
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    client.connect(clientConfig(input, clock, fail));
  });
}

function clientConfig(input: HandshakeInput, clock: Clock, fail: (error: unknown) => void): ConnectConfig {
  const { socket, target, who, hostKey, login, keepAliveIntervalMs } = input;
  return {
    sock: socket,
    username: target.user,
    readyTimeout: 0,
    keepaliveInterval: keepAliveIntervalMs,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: [...hostKey.algorithms] },
    hostVerifier: (key: Buffer) => {
      const refusal = hostKey.judge(key);
      if (refusal !== undefined) fail(refusal);
      return refusal === undefined;
    },
    authHandler: (left: readonly string[] | null, _partial, next) => {
      clock.pause();
      login.next(left).then((method) => {
        clock.resume();
        if (method === undefined) fail(login.failure(who));
        else next(method);
      }, fail);
    },
  };
}

interface Clock {
  pause(): void;
  /** Starts anew, unless it was stopped. */
  resume(): void;
  stop(): void;
}

function createClock(limitMs: number, onEnd: () => void): Clock {
  let timer = setTimeout(onEnd, limitMs);
  let stopped = false;
  return {
    pause: () => clearTimeout(timer),
    resume() {
      if (!stopped) timer = setTimeout(onEnd, limitMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function handshakeFailure(input: HandshakeInput, error: Error, authenticating: boolean): QuorateError {
  const { who, target, hostKey, login } = input;
  if (authenticating) return login.failure(who, messageOf(error));
  if (/no matching host key/i.test(error.message)) return noKnownKeyType(target, hostKey.algorithms);
  if (/lost before handshake|ECONNRESET|EPIPE/i.test(error.message)) return closedEarly(input, false);
  return stageFailure('handshake', `no SSH handshake with ${who}: ${error.message}`, { cause: error });
}

function closedEarly({ who, login }: HandshakeInput, authenticating: boolean): QuorateError {
  if (authenticating) return login.failure(who, 'it closed the connection');
  return stageFailure('handshake', `${who} closed the connection before the SSH handshake`, {
    cause: hungUp,
    hint: 'is this an SSH server? It may also limit new connections (MaxStartups, fail2ban)',
  });
}

function timedOut({ who, target }: HandshakeInput, authenticating: boolean): QuorateError {
  if (!authenticating) return connectTimedOut(who, target.connectTimeoutMs);
  return stageFailure('authentication', `${who} did not finish the login within ${target.connectTimeoutMs / 1000} s`);
}

/**
 * Whether the server hung up before it said anything: sshd does that at random above MaxStartups, so it is worth another
 * try.
 */
export function hungUpEarly(error: unknown): boolean {
  return error instanceof QuorateError && error.cause === hungUp;
}

const hungUp = Symbol('the server hung up');
