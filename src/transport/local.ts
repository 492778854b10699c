/** `transport: local`: the machine that quorate runs on, through execa. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Controller } from '../domain/controller.ts';
import { collect } from './collect.ts';
import { messageOf, nameHost, stageFailure } from './failure.ts';
import { type LaunchedProcess, launch, type Pipes } from './launch.ts';
import { prepareLaunch } from './prepare.ts';
import type { FindSecret } from './secrets.ts';
import type { Connection, RemoteResult, RemoteScript, RunOptions } from './transport.ts';

/** What the local transport needs of the process that it runs in. */
export interface LocalOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly findSecret: FindSecret;
}

/** The variables that scripts inherit: never the ones with secrets, of which the inventory may name any. */
const inherited = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TERM'] as const;

/** A connection to this machine itself; sudo is used as the inventory says, unless this process is root already. */
export function openLocal(controller: Controller, options: LocalOptions): Connection {
  const isRoot = process.getuid?.() === 0;
  const ssh = { ...controller.ssh, user: options.env['USER'] ?? 'you', ...(isRoot ? { sudo: 'none' as const } : {}) };
  const here = { ...controller, ssh };
  const host = controller.name;

  const start = async (script: RemoteScript): Promise<LaunchedProcess> => {
    try {
      const prepared = await prepareLaunch(here, script, options.findSecret);
      return launch(await spawn(prepared.stage.command, options.env), prepared);
    } catch (error) {
      throw nameHost(host, error);
    }
  };
  return {
    host,
    start,
    run: (script: RemoteScript, runOptions: RunOptions): Promise<RemoteResult> =>
      collect(() => start(script), { host, label: script.label }, runOptions),
    tunnel: (address, port) => dialHere(host, address, port),
    close: () => Promise.resolve(),
  };
}

async function spawn(command: string, env: LocalOptions['env']): Promise<Pipes> {
  const { execa } = await import('execa');
  const kept = Object.fromEntries(inherited.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const child = execa('/bin/sh', ['-c', command], {
    ...{ buffer: false, reject: false, extendEnv: false, env: kept, cwd: '/' },
    ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', encoding: 'buffer' },
  });
  const exit = child.then((result) => {
    if (result.exitCode === undefined && result.signal === undefined) {
      throw stageFailure('command', `no process could be started: ${result.shortMessage ?? 'unknown reason'}`);
    }
    return { status: result.exitCode, signal: result.signal };
  });
  return {
    ...{ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exit },
    close() {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    },
  };
}

function dialHere(host: string, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    socket.once('error', (error) =>
      reject(
        nameHost(
          host,
          stageFailure('tunnel', `${address}:${port} cannot be reached: ${messageOf(error)}`, { cause: error }),
        ),
      ),
    );
    socket.once('connect', () => resolve(socket));
  });
}
