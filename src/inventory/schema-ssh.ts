/** How hosts are reached: the shape of `ssh:` for all, of `controllers.NAME.ssh` for one, and of bastions. */
import * as z from 'zod/mini';
import { addressRule } from './address-rules.ts';
import { choice, flag, integer, section, text, texts } from './fields.ts';
import { hostKeyRule } from './key-rules.ts';
import { loginRule, variableRule } from './name-rules.ts';
import { operatorPathRule } from './path-rules.ts';

/** What targets and bastions share; everything here is inherited: controller from `ssh:`, bastion from what it serves. */
const inherited = {
  user: z.optional(text(loginRule, 'Login name. Default: root.')),
  identityFiles: z.optional(
    texts(
      operatorPathRule,
      'Private key file or files, tried in order; relative to the inventory or ~/. Default: ~/.ssh/id_ed25519, id_ecdsa and id_rsa.',
    ),
  ),
  agent: z.optional(flag('Offer the keys of the agent at SSH_AUTH_SOCK. Default: true.')),
  passphraseEnv: z.optional(
    text(
      variableRule,
      'Environment variable that holds the passphrase of the key files; without it a terminal is asked.',
    ),
  ),
  knownHosts: z.optional(
    texts(operatorPathRule, 'known_hosts file or files. Default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts.'),
  ),
  connectTimeoutSeconds: z.optional(integer(1, 600, 'Seconds until a host counts as unreachable. Default: 10.')),
} as const;

const port = z.optional(integer(1, 65535, 'Port of sshd. Default: 22.'));
const passwordEnv = z.optional(
  text(variableRule, 'Environment variable that holds the login password. Default: no login by password.'),
);
const hostKey = z.optional(
  text(hostKeyRule, 'SHA256:… fingerprint or whole public key that the host must show; replaces known_hosts.'),
);

const bastionFields = {
  address: text(addressRule, 'Address or DNS name of the bastion.'),
  port,
  ...inherited,
  passwordEnv,
  hostKey,
} as const;

const outerBastion = section(bastionFields, 'The bastion in front of this bastion; two is the most.');

const bastion = z.optional(
  z.union([
    choice(['none'], 'No bastion, although ssh.bastion names one.'),
    section({ ...bastionFields, bastion: z.optional(outerBastion) }, 'A host to jump through.'),
  ]),
);

const sudo = z.optional(
  z.union([
    choice(['none', 'passwordless', 'password'], 'How root is reached; password asks on a terminal.'),
    section(
      { passwordEnv: text(variableRule, 'Environment variable that holds the sudo password.') },
      'sudo with a password.',
    ),
  ]),
);

/** Defaults for every controller. A host key is no default: each host has its own. */
export const sshDefaultsSchema = section(
  { ...inherited, port, passwordEnv, sudo, bastion },
  'How hosts are reached; each controller may override each key under its own ssh.',
);

/** What one controller does differently. */
export const sshOverridesSchema = section(
  { ...inherited, port, passwordEnv, hostKey, sudo, bastion },
  'How this host is reached, where that differs from ssh.',
);

export type SshSettings = z.output<typeof sshOverridesSchema>;
export type BastionSettings = z.output<typeof outerBastion> & {
  readonly bastion?: z.output<typeof outerBastion> | undefined;
};
