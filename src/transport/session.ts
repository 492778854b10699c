/** Everything that the connections of one run share: bastions, parsed keys, secrets, known hosts. */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, utils } from 'ssh2';
import type { Controller, SshTarget } from '../domain/controller.ts';
import { dial } from './dial.ts';
import { nameHost } from './failure.ts';
import { handshake, hungUpEarly } from './handshake.ts';
import { createHostKeys, type HostKeys } from './host-keys.ts';
import { createIdentities, type LoadIdentity } from './identities.ts';
import { describeEnd, SshLink } from './link.ts';
import { openLocal } from './local.ts';
import { createLogin } from './login.ts';
import { type AskSecret, createSecrets, type FindSecret } from './secrets.ts';
import { SshConnection } from './ssh.ts';
import type { Connection } from './transport.ts';

/** How to connect, beyond what the inventory says of each host. */
export interface TransportOptions {
  /** The process's environment: passwords and passphrases by name, SSH_AUTH_SOCK. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--accept-new-host-keys`: unknown keys are accepted and added to the first known_hosts file; changed ones never. */
  readonly acceptNewHostKeys: boolean;
  /** Undefined off a terminal. */
  readonly askSecret?: AskSecret | undefined;
  /** Interrupts connecting. */
  readonly signal?: AbortSignal | undefined;
  /** How often a silent connection is asked whether it lives; three answers missing end it. 10 s unless told. */
  readonly keepAliveIntervalMs?: number | undefined;
}

/** Holds the bastions of a run; each is connected to once, whatever the number of hosts behind it. */
export class TransportSession {
  readonly #options: TransportOptions;
  readonly #findSecret: FindSecret;
  readonly #hostKeys: HostKeys;
  readonly #bastions = new Map<string, Promise<SshLink>>();
  #library: Promise<Library> | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#findSecret = createSecrets({ env: options.env, askSecret: options.askSecret });
    this.#hostKeys = createHostKeys(options.acceptNewHostKeys);
  }

  /** The connection to a controller; throws a QuorateError that names it. */
  async open(controller: Controller): Promise<Connection> {
    if (controller.transport === 'local') {
      return openLocal(controller, { env: this.#options.env, findSecret: this.#findSecret });
    }
    try {
      return new SshConnection(controller, await this.#link(controller.ssh, 'host'), this.#findSecret);
    } catch (error) {
      throw nameHost(controller.name, error);
    }
  }

  /** Closes the bastions; the connections to hosts are closed by whoever opened them, before. */
  async close(): Promise<void> {
    const links = await Promise.allSettled(this.#bastions.values());
    const open = links.flatMap((link) => (link.status === 'fulfilled' ? [link.value] : []));
    await Promise.all(open.reverse().map((link) => link.close()));
  }

  async #link(target: SshTarget, role: 'host' | 'bastion'): Promise<SshLink> {
    const hostKey = await this.#hostKeys.checkFor(target);
    const { Client, loadIdentity } = await this.#load();
    const who = describeEnd(target, role);
    const { env, signal, keepAliveIntervalMs = 10_000 } = this.#options;
    const sources = { findSecret: this.#findSecret, loadIdentity, agentSocket: env['SSH_AUTH_SOCK'] };

    return againWhenHungUp(async () => {
      const socket = await this.#stream(target, who);
      const client = new Client();
      const login = createLogin(target, sources);
      await handshake({ client, socket, target, who, hostKey, login, signal, keepAliveIntervalMs });
      return new SshLink(client, socket, who);
    });
  }

  async #stream(target: SshTarget, who: string): Promise<Duplex> {
    if (target.bastion === undefined) return dial(target, who, this.#options.signal);
    const bastion = await this.#bastion(target.bastion);
    return bastion.forward(target.address, target.port, target.connectTimeoutMs);
  }

  #bastion(target: SshTarget): Promise<SshLink> {
    const key = JSON.stringify(target);
    const link = this.#bastions.get(key) ?? this.#link(target, 'bastion');
    this.#bastions.set(key, link);
    return link;
  }

  #load(): Promise<Library> {
    this.#library ??= loadLibrary(this.#findSecret);
    return this.#library;
  }
}

interface Library {
  readonly Client: typeof Client;
  readonly loadIdentity: LoadIdentity;
}

/** ssh2 takes tens of milliseconds to load, which runs without a host should not pay. */
async function loadLibrary(findSecret: FindSecret): Promise<Library> {
  const { default: ssh2 } = await import('ssh2');
  const parseKey: typeof utils.parseKey = ssh2.utils.parseKey;
  return { Client: ssh2.Client, loadIdentity: createIdentities(parseKey, findSecret) };
}

const pausesMs = [100, 300, 900, 2_000] as const;

async function againWhenHungUp(connect: () => Promise<SshLink>): Promise<SshLink> {
  for (const pauseMs of pausesMs) {
    try {
      return await connect();
    } catch (error) {
      if (!hungUpEarly(error)) throw error;
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }
  return connect();
}
