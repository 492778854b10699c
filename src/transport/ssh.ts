/** The SSH connection to one controller. */
import type { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { Controller } from '../domain/controller.ts';
import { collect } from './collect.ts';
import { nameHost, stageFailure } from './failure.ts';
import { type Exit, type LaunchedProcess, launch, type Pipes } from './launch.ts';
import type { Session, SshLink } from './link.ts';
import { prepareLaunch } from './prepare.ts';
import type { FindSecret } from './secrets.ts';
import type { Connection, RemoteResult, RemoteScript, RunOptions } from './transport.ts';

/** A {@link Connection} over a logged-in link. */
export class SshConnection implements Connection {
  readonly host: string;
  readonly #controller: Controller;
  readonly #link: SshLink;
  readonly #findSecret: FindSecret;

  constructor(controller: Controller, link: SshLink, findSecret: FindSecret) {
    this.host = controller.name;
    this.#controller = controller;
    this.#link = link;
    this.#findSecret = findSecret;
  }

  /** `givenUp`, once aborted, keeps a script that still waits for its turn from being sent. */
  async start(script: RemoteScript, givenUp?: AbortSignal): Promise<LaunchedProcess> {
    try {
      const prepared = await prepareLaunch(this.#controller, script, this.#findSecret);
      const session = await this.#link.exec(prepared.stage.command, givenUp);
      return launch(sessionPipes(session, this.#link, script.label), prepared);
    } catch (error) {
      throw nameHost(this.host, error);
    }
  }

  run(script: RemoteScript, options: RunOptions): Promise<RemoteResult> {
    return collect((givenUp) => this.start(script, givenUp), { host: this.host, label: script.label }, options);
  }

  async tunnel(address: string, port: number): Promise<Duplex> {
    try {
      return await this.#link.forward(address, port);
    } catch (error) {
      throw nameHost(this.host, error);
    }
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

function sessionPipes({ channel, release }: Session, link: SshLink, label: string): Pipes {
  let closed = false;
  const exit = exitOf(channel, link).then((ended) => {
    if (ended.status !== undefined || ended.signal !== undefined || closed) return ended;
    const why = link.lost === undefined ? 'its session ended without a status' : link.lost.message;
    throw stageFailure('command', `connection lost while ${label}: ${why}`, {
      hint: 'the script may still run on the host; running again is safe',
    });
  });
  exit.then(release, release);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    exit,
    close() {
      closed = true;
      if (link.lost === undefined) channel.close();
      release();
    },
  };
}

/**
 * A lost connection ends the process even while nobody reads its output, for which `close` would wait. A command that ends
 * at once may have sent its `exit` before anybody could listen, so `close` brings it again.
 */
function exitOf(channel: ClientChannel, link: SshLink): Promise<Exit> {
  return new Promise((resolve) => {
    let exit: Exit = { status: undefined, signal: undefined };
    const note = (status?: number | null, signal?: string): void => {
      if (exit.status === undefined && exit.signal === undefined) exit = { status: status ?? undefined, signal };
    };
    channel.on('exit', note);
    channel.on('close', (status?: number | null, signal?: string) => {
      note(status, signal);
      resolve(exit);
    });
    void link.ended.then(() => setImmediate(() => resolve(exit)));
  });
}
