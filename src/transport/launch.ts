/** Runs a staged script over three pipes: feeds it, tells its output from what came before, words its failures. */
import { type Readable, Writable } from 'node:stream';
import type { QuorateError } from '../domain/errors.ts';
import { nameHost, stageFailure } from './failure.ts';
import { afterMark } from './marks.ts';
import { type RootMode, type Stage, stageStatus } from './stage.ts';
import type { RemoteProcess } from './transport.ts';

/** How a process ended; both undefined when its channel was closed from here. */
export interface Exit {
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

/** A running command, wherever it runs. */
export interface Pipes {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended; rejects with a QuorateError (without the host's name) when the connection was lost. */
  readonly exit: Promise<Exit>;
  /** Closes its streams. The process sees the end of its stdin, and SIGPIPE when it prints; it may go on regardless. */
  close(): void;
}

/** What was started, for whom and how. */
export interface Launch {
  readonly host: string;
  readonly label: string;
  readonly user: string;
  readonly stage: Stage;
  readonly mode: RootMode;
  /** sudo's password; given with the mode `password` only. */
  readonly password: string | undefined;
}

/** A {@link RemoteProcess} that also tells whether its script has begun. */
export interface LaunchedProcess extends RemoteProcess {
  begun(): boolean;
}

/** Feeds the script to a started stage. Until the script has begun, `done` tells why it did not (sudo, login shell). */
export function launch(pipes: Pipes, launched: Launch): LaunchedProcess {
  const { stage } = launched;
  const gate = createGate(launched.mode !== 'password');
  const early = { stdout: '', stderr: '' };
  let begun = false;

  const stdout = afterMark(stage.begin, {
    onEarly: (text) => {
      early.stdout = text;
      if (text.includes(stage.ready)) gate.open();
    },
    onMark: () => {
      begun = true;
      gate.open();
    },
  });
  const stderr = afterMark(stage.begin, {
    onEarly: (text) => {
      early.stderr = text;
      if (promptsIn(text, stage) > 1) pipes.stdin.end();
    },
    onMark: () => undefined,
  });
  pipes.stdout.pipe(stdout);
  pipes.stderr.pipe(stderr);

  const stdin = createStdin(pipes.stdin, launched, gate.opened);
  const done = pipes.exit
    .then((exit) => {
      if (begun || exit.status === undefined) return exit;
      throw notBegun(launched, exit.status, early);
    })
    .catch((error: unknown) => {
      throw nameHost(launched.host, error);
    })
    .finally(() => {
      gate.open();
      stdin.destroy();
    });
  done.catch(() => undefined);
  return { stdin, stdout, stderr, done, close: () => pipes.close(), begun: () => begun };
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function createGate(isOpen: boolean): Gate {
  let open: () => void = () => undefined;
  const opened = isOpen
    ? Promise.resolve()
    : new Promise<void>((resolve) => {
        open = resolve;
      });
  return { opened, open: () => open() };
}

/**
 * The script's own stdin. The password goes ahead at once; the script only follows once sudo is through, because sudo
 * would take it for a second try. Writing to a process that has ended is no error.
 */
function createStdin(target: Writable, { stage, password }: Launch, opened: Promise<void>): Writable {
  target.on('error', () => undefined);
  return new Writable({
    construct(done) {
      if (password !== undefined) target.write(`${password}\n`);
      void opened.then(() => {
        if (target.writable) target.write(stage.header);
        done();
      });
    },
    write(chunk: Buffer, _encoding, done) {
      if (!target.writable) return done();
      target.write(chunk, () => done());
    },
    final(done) {
      target.end();
      done();
    },
  });
}

function promptsIn(text: string, { prompt }: Stage): number {
  return prompt === '' ? 0 : text.split(prompt).length - 1;
}

interface EarlyOutput {
  readonly stdout: string;
  readonly stderr: string;
}

function notBegun(launched: Launch, status: number, early: EarlyOutput): QuorateError {
  const { stage, mode, user, password } = launched;
  const ready = early.stdout.includes(stage.ready);
  const printed = [early.stdout.replaceAll(stage.ready, ''), early.stderr].join('\n').trim();
  const detail = redact(stage.prompt === '' ? printed : printed.replaceAll(stage.prompt, ''), password);
  if (ready) {
    return stageFailure('command', 'the script did not arrive whole, or base64 is missing on the host', { detail });
  }
  if ((mode === 'none' || mode === 'login') && status === stageStatus.notRoot) {
    return stageFailure('sudo', `the login user ${user} is not root`, {
      detail,
      hint: 'set `sudo: passwordless`, or `sudo` with a password, in the inventory, or log in as root',
    });
  }
  if (mode === 'none' || mode === 'login') {
    return stageFailure('command', `the login shell of ${user} ended (status ${status}) before the script began`, {
      detail,
      hint: 'the account needs a shell that runs commands: no nologin, no ForceCommand, no `exit` in its start files',
    });
  }
  return sudoRefused(launched, { status, prompts: promptsIn(early.stderr, stage), detail });
}

function sudoRefused(
  { user, mode }: Launch,
  { status, prompts, detail }: { readonly status: number; readonly prompts: number; readonly detail: string },
): QuorateError {
  const fail = (message: string, hint: string): QuorateError => stageFailure('sudo', message, { detail, hint });
  if (status === 127) return fail('sudo is not installed', `install sudo, or log in as root instead of ${user}`);
  if (mode === 'passwordless') {
    return fail(
      `sudo refused ${user}: it wants a password or a terminal, or ${user} may not run /bin/sh as root`,
      `allow it in sudoers (\`${user} ALL=(ALL) NOPASSWD: ALL\`, no requiretty), or give sudo a password in the inventory`,
    );
  }
  if (prompts > 1) {
    return fail(
      `sudo refused the password of ${user}`,
      'check the variable that `sudo.passwordEnv` names, or what was typed',
    );
  }
  return fail(
    `sudo refused ${user}: not allowed in sudoers, or a terminal is required`,
    `allow it in sudoers (\`${user} ALL=(ALL) ALL\`, no requiretty)`,
  );
}

function redact(text: string, secret: string | undefined): string {
  return secret === undefined || secret === '' ? text : text.replaceAll(secret, '***');
}
