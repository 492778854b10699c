/** Secrets that the environment holds for a cluster: known from the moment its inventory is, and masked from then on. */
import type { Cluster } from '../domain/cluster.ts';
import type { SshTarget } from '../domain/controller.ts';

/** Values of the variables that the inventory names for passwords and passphrases, and the identity's own. */
export function secretValues(cluster: Cluster, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const names = cluster.controllers.flatMap(({ ssh }) => variablesOf(ssh));
  const values = ['QUORATE_IDENTITY', 'QUORATE_PASSPHRASE', 'QUORATE_NEW_PASSPHRASE', ...names].map(
    (name) => env[name] ?? '',
  );
  return [...new Set(values)].filter((value) => value !== '');
}

function variablesOf(target: SshTarget): readonly string[] {
  const sudo = typeof target.sudo === 'object' ? target.sudo.passwordEnv : undefined;
  const own = [target.passphraseEnv, target.passwordEnv, sudo].filter((name) => name !== undefined);
  return [...own, ...(target.bastion === undefined ? [] : variablesOf(target.bastion))];
}
