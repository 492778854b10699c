/** What has to be settled before a script can be started anywhere: how it becomes root, its stage, sudo's password. */
import { randomBytes } from 'node:crypto';
import type { Controller, SshTarget } from '../domain/controller.ts';
import { stageFailure } from './failure.ts';
import type { Launch } from './launch.ts';
import type { FindSecret } from './secrets.ts';
import { type RootMode, stageScript } from './stage.ts';
import type { RemoteScript } from './transport.ts';

/** The launch of a script on a controller. Throws a `sudo` failure (without the host's name) when a password is missing. */
export async function prepareLaunch(
  { name, ssh }: Controller,
  script: RemoteScript,
  findSecret: FindSecret,
): Promise<Launch> {
  const mode = script.root ? rootMode(ssh.sudo) : 'login';
  const password = mode === 'password' ? await sudoPassword(ssh, findSecret) : undefined;
  const stage = stageScript(script.script, mode, newNonce());
  return { host: name, label: script.label, user: ssh.user, stage, mode, password };
}

function rootMode(sudo: SshTarget['sudo']): RootMode {
  return typeof sudo === 'string' ? sudo : 'password';
}

/** A fresh word that no output holds by accident. */
function newNonce(): string {
  return `quorate${randomBytes(8).toString('hex')}`;
}

async function sudoPassword({ sudo, user, address }: SshTarget, findSecret: FindSecret): Promise<string> {
  const envName = typeof sudo === 'string' ? undefined : sudo.passwordEnv;
  const password = await findSecret(envName, `sudo password of ${user} at ${address}`);
  if (password !== undefined && !/[\n\0]/.test(password)) return password;
  const variable = envName === undefined ? 'sudo.passwordEnv names no variable' : `${envName} is not set`;
  const missing = `${variable} and there is no terminal to ask on`;
  const reason = password === undefined ? missing : 'it holds a newline or NUL';
  throw stageFailure('sudo', `no usable sudo password for ${user}: ${reason}`, {
    hint: 'set the variable that `sudo.passwordEnv` names, or allow sudo without a password',
  });
}
