/** How one controller is reached: its own settings over the inventory's, and bastions that inherit from what they serve. */
import type { SshTarget } from '../domain/controller.ts';
import type { ControllerSettings } from './schema-controllers.ts';
import type { BastionSettings, SshSettings } from './schema-ssh.ts';

/** As ssh(1) tries them, newest algorithm first; those that are not there are passed over. */
const usualIdentities = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa'];
const usualKnownHosts = ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'];

/** The target of a controller. `onOperator` makes paths absolute. A `local` controller's address is 127.0.0.1; nothing dials it. */
export function resolveSsh(
  controller: ControllerSettings,
  defaults: SshSettings | undefined,
  onOperator: (path: string) => string,
): SshTarget {
  const merged = { ...defaults, ...controller.ssh };
  const user = merged.user ?? 'root';
  const target = {
    address: controller.transport === 'local' ? '127.0.0.1' : (controller.address ?? ''),
    port: merged.port ?? 22,
    user,
    identityFiles: (merged.identityFiles ?? usualIdentities).map(onOperator),
    agent: merged.agent ?? true,
    passphraseEnv: merged.passphraseEnv,
    passwordEnv: merged.passwordEnv,
    hostKey: controller.ssh?.hostKey,
    knownHostsFiles: (merged.knownHosts ?? usualKnownHosts).map(onOperator),
    sudo: resolveSudo(merged.sudo, user),
    connectTimeoutMs: (merged.connectTimeoutSeconds ?? 10) * 1000,
  };
  const { bastion } = merged;
  return {
    ...target,
    bastion: bastion === undefined || bastion === 'none' ? undefined : resolveBastion(bastion, target, onOperator),
  };
}

/** A bastion takes user, keys, agent, known_hosts and timeout from what it serves; port, password and host key are its own. */
function resolveBastion(
  bastion: BastionSettings,
  served: Omit<SshTarget, 'bastion'>,
  onOperator: (path: string) => string,
): SshTarget {
  const target = {
    address: bastion.address,
    port: bastion.port ?? 22,
    user: bastion.user ?? served.user,
    identityFiles: bastion.identityFiles?.map(onOperator) ?? served.identityFiles,
    agent: bastion.agent ?? served.agent,
    passphraseEnv: bastion.passphraseEnv ?? served.passphraseEnv,
    passwordEnv: bastion.passwordEnv,
    hostKey: bastion.hostKey,
    knownHostsFiles: bastion.knownHosts?.map(onOperator) ?? served.knownHostsFiles,
    sudo: 'none',
    connectTimeoutMs:
      bastion.connectTimeoutSeconds === undefined ? served.connectTimeoutMs : bastion.connectTimeoutSeconds * 1000,
  } as const;
  const outer = bastion.bastion;
  return { ...target, bastion: outer === undefined ? undefined : resolveBastion(outer, target, onOperator) };
}

function resolveSudo(sudo: SshSettings['sudo'], user: string): SshTarget['sudo'] {
  if (user === 'root') return 'none';
  if (sudo === undefined) return 'passwordless';
  if (sudo === 'password') return { passwordEnv: undefined };
  return sudo;
}
