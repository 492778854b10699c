/** Connecting to every controller of a run at once. */
import { setMaxListeners } from 'node:events';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { type TransportOptions, TransportSession } from './session.ts';
import { createSlots } from './slots.ts';
import type { Connection } from './transport.ts';

/** The connections of a run. */
export interface Transports {
  /** By the controller's name, in the order of the controllers given; without those that failed. */
  readonly connections: ReadonlyMap<string, Connection>;
  /** One error for each host that could not be reached, in the same order. */
  readonly failures: readonly QuorateError[];
  /** Closes every connection and the bastions in between. */
  close(): Promise<void>;
}

/** More handshakes than this at once only slow each other down. */
const handshakesAtATime = 32;

/**
 * Connects to all controllers at once and reports every one that fails; never rejects for an unreachable or untrusted
 * host. Root is not tried here: the first script that runs as root tells whether sudo lets it through.
 */
export async function openAll(controllers: readonly Controller[], options: TransportOptions): Promise<Transports> {
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  const session = new TransportSession(options);
  const slots = createSlots(handshakesAtATime);
  const opened = await Promise.allSettled(
    controllers.map(async (controller) => {
      const release = await slots();
      return session.open(controller).finally(release);
    }),
  );
  const connections = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(connections.map((connection) => connection.close()));
    await session.close();
  };
  const reasons: unknown[] = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const failures = reasons.filter((reason) => reason instanceof QuorateError);
  const bug = reasons.find((reason) => !(reason instanceof QuorateError));
  if (bug !== undefined) {
    await close();
    throw bug;
  }
  return { connections: new Map(connections.map((connection) => [connection.host, connection])), failures, close };
}
