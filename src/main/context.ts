/** Builds what a verb may do from the command line and the process. */
import type { Ports } from '../commands/command.ts';
import { createDebugLog, logDirectory } from '../ui/debug-log.ts';
import { createUi, type Ui } from '../ui/output.ts';
import { createSecrets, type Secrets } from '../ui/secrets.ts';
import { decideTerminal, readTerminal } from '../ui/terminal.ts';
import { portsOf } from './ports.ts';
import { type Process, thisProcess } from './process.ts';
import type { Request } from './program.ts';

export interface Context {
  readonly ui: Ui;
  readonly ports: Ports;
}

/** The ports of one run. */
export async function openContext(request: Request): Promise<Context> {
  const secrets = createSecrets();
  const surroundings = thisProcess();
  const ui = openUi(request, surroundings, secrets);
  return { ui, ports: portsOf(request, { ui, process: surroundings, secrets }) };
}

function openUi({ verb, invocation: { options } }: Request, surroundings: Process, secrets: Secrets): Ui {
  const flags = {
    json: options['json'] === true,
    quiet: options['quiet'] === true,
    verbose: options['verbose'] === true,
    noColor: options['color'] === false,
    noInput: options['input'] === false,
  };
  const log = createDebugLog({
    directory: logDirectory(surroundings.env, surroundings.home),
    verb: verb.replaceAll(' ', '-'),
    pid: surroundings.pid,
    now: surroundings.now,
    redactValue: secrets.redactValue,
  });
  const streams = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr };
  const terminal = decideTerminal(readTerminal(process, surroundings.env), flags);
  return createUi({ terminal, streams, secrets, log, verbose: flags.verbose });
}
