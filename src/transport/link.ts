/** One authenticated SSH connection: sessions (a few at a time) and forwarded streams. */

import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import type { SshTarget } from '../domain/controller.ts';
import type { QuorateError } from '../domain/errors.ts';
import { messageOf, stageFailure } from './failure.ts';
import { createSlots, type Release } from './slots.ts';

/** A session channel that runs a command. */
export interface Session {
  readonly channel: ClientChannel;
  /** To be called when the channel has ended, so that the next one in the queue may open. */
  readonly release: Release;
}

/**
 * sshd reaps sessions late: with 4 at a time 0 of 200 short commands failed, with 6 up to 3, with 10 over 76 (MaxSessions
 * 10; measured, and mscdex/ssh2#222).
 */
const sessionsAtATime = 4;

/** sshd gives up connecting somewhere after about two minutes; nobody here waits that long. */
const answerLimitMs = 60_000;

/** Holds one ssh2 client. Errors do not name the host, because a bastion's belong to every host behind it. */
export class SshLink {
  readonly who: string;
  /** Why the connection ended, once it has; undefined while it lives. */
  lost: Error | undefined;
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #slots = createSlots(sessionsAtATime);
  /** Resolves when the connection has ended, for whatever reason. */
  readonly ended: Promise<void>;

  /** `client` is logged in over `socket`. `who` names its far end in errors. */
  constructor(client: Client, socket: Duplex, who: string) {
    this.#client = client;
    this.#socket = socket;
    this.who = who;
    let cause: Error | undefined;
    client.on('error', (error) => {
      cause ??= error;
    });
    this.ended = new Promise((resolve) => {
      client.on('close', () => {
        this.lost ??= cause ?? new Error('the host closed the connection');
        resolve();
      });
    });
  }

  /** Starts a command, as soon as fewer than four sessions are open; rejects when it was given up meanwhile. */
  async exec(command: string, givenUp?: AbortSignal): Promise<Session> {
    const release = await this.#slots();
    try {
      givenUp?.throwIfAborted();
      const channel = await this.#open((done) => this.#client.exec(command, done));
      if (givenUp?.aborted) channel.close();
      givenUp?.throwIfAborted();
      return { channel, release };
    } catch (error) {
      release();
      throw stageFailure('channel', this.#channelMessage(error), { cause: error });
    }
  }

  /** A stream to an address as seen from the far end; rejects when that has not answered within `limitMs`. */
  async forward(address: string, port: number, limitMs = answerLimitMs): Promise<Duplex> {
    try {
      return await this.#once((done) => this.#client.forwardOut('127.0.0.1', 0, address, port, done), limitMs);
    } catch (error) {
      throw this.#forwardFailure(error, `${address.includes(':') ? `[${address}]` : address}:${port}`);
    }
  }

  /** Ends the connection, at the latest after a second; open sessions and streams end with it. */
  async close(): Promise<void> {
    if (this.lost !== undefined) return;
    this.#client.end();
    // Client.destroy() does nothing to a socket that end() has ended: a far end that is silent would be waited for as long as TCP tries.
    const timer = setTimeout(() => this.#socket.destroy(), 1_000);
    await this.ended;
    clearTimeout(timer);
  }

  /** Tries again, because sshd may still count a session that has just ended. */
  async #open(start: (done: Callback) => void): Promise<ClientChannel> {
    for (const pauseMs of [50, 200]) {
      try {
        return await this.#once(start);
      } catch (error) {
        if (this.lost !== undefined || isSilence(error)) throw error;
        await sleep(pauseMs);
      }
    }
    return this.#once(start);
  }

  #once(start: (done: Callback) => void, limitMs = answerLimitMs): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      if (this.lost !== undefined) throw this.lost;
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        reject(new Error(`no answer within ${limitMs / 1000} s`, { cause: silence }));
      }, limitMs);
      const done: Callback = (error, channel) => {
        clearTimeout(timer);
        if (error !== undefined && error !== null) reject(error);
        else if (isLate) channel.close();
        else resolve(channel);
      };
      try {
        start(done);
      } catch (error) {
        // Between the end of the socket and that of the client, ssh2 throws "Not connected" and calls nothing back.
        clearTimeout(timer);
        reject(error);
      }
    });
  }

  #channelMessage(error: unknown): string {
    if (this.lost !== undefined) return `the connection to ${this.who} was lost: ${this.lost.message}`;
    return `${this.who} opened no session: ${messageOf(error)}`;
  }

  #forwardFailure(error: unknown, destination: string): QuorateError {
    const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
    if (reason === openFailure.prohibited) {
      return stageFailure('tunnel', `sshd at ${this.who} forbids forwarding to ${destination}`, {
        cause: error,
        hint: 'set `AllowTcpForwarding yes` (and no PermitOpen against it) in its sshd_config, or, where the operator reaches the client port, `etcd.access: direct` in the inventory',
      });
    }
    const message =
      reason === openFailure.connectFailed || isSilence(error)
        ? `${destination} cannot be reached from ${this.who}: ${messageOf(error)}`
        : this.#channelMessage(error);
    return stageFailure('tunnel', message, { cause: error });
  }
}

const silence = Symbol('no answer');

function isSilence(error: unknown): boolean {
  return error instanceof Error && error.cause === silence;
}

type Callback = (error: Error | undefined | null, channel: ClientChannel) => void;

/** Whether a tunnel failed because sshd forbids it (not because nothing listens at its end). */
export function forwardingForbidden(error: unknown): boolean {
  if (!(error instanceof Error) || !(error.cause instanceof Error) || !('reason' in error.cause)) return false;
  return error.cause.reason === openFailure.prohibited;
}

/** RFC 4254, section 5.1. */
const openFailure = { prohibited: 1, connectFailed: 2 } as const;

/** `bastion 10.0.0.1:22` or `[fd00::1]:22`: how errors name the far end of a connection. */
export function describeEnd(target: SshTarget, role: 'host' | 'bastion'): string {
  const address = target.address.includes(':') ? `[${target.address}]` : target.address;
  return `${role === 'bastion' ? 'bastion ' : ''}${address}:${target.port}`;
}
