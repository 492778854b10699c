/** Rules over several keys of an inventory. They see the parts that are right by themselves, so that one mistake hides no other. */
import { parseDuration } from '../domain/duration.ts';
import { checkEndpoints } from './endpoint-rules.ts';
import type { Finding } from './explain.ts';
import { overlaps } from './path-rules.ts';
import type { InventorySettings, Parts } from './schema.ts';
import type { SshSettings } from './schema-ssh.ts';

/** Everything that breaks a rule, in the order of the sections. */
export function checkRules(parts: Parts): readonly Finding[] {
  return [
    ...checkSudo(['ssh'], parts.ssh, parts.ssh),
    ...Object.entries(parts.controllers ?? {}).flatMap(([name, controller]) =>
      checkSudo(['controllers', name, 'ssh'], controller.ssh, parts.ssh),
    ),
    ...checkEndpoints(parts),
    ...checkPaths(parts),
    ...checkLifetimes(parts),
    ...checkExternal(parts),
    ...checkRenewal(parts),
  ];
}

/** What is allowed and unwise, as sentences. */
export function findWarnings(settings: InventorySettings): readonly string[] {
  const count = Object.keys(settings.controllers).length;
  const privileged = Object.entries(settings.controllers).flatMap(([name, controller]) =>
    Object.entries({ ...settings.ports, ...controller.ports }).flatMap(([use, port]) =>
      port !== undefined && port < 1024
        ? [
            `${name}: the ${use} port ${port} is below 1024, which the unit may not bind unless the host's sysctl allows it`,
          ]
        : [],
    ),
  );
  const unsafe = settings.etcd?.['unsafe-no-fsync'] === true;
  return [
    ...countWarnings(count),
    ...privileged,
    ...(unsafe ? ['etcd.unsafe-no-fsync: a power cut can destroy the data of every member at once'] : []),
  ];
}

function countWarnings(count: number): readonly string[] {
  if (count === 1) return ['one member survives no failure, and each restart is an outage: use three'];
  if (count % 2 === 0) {
    return [`${count} members survive no more failures than ${count - 1}: use ${count - 1} or ${count + 1}`];
  }
  return count > 7
    ? [`${count} members make each write slower, since ${(count + 1) / 2} must store it: use five or seven`]
    : [];
}

function checkSudo(
  path: readonly string[],
  own: SshSettings | undefined,
  defaults: SshSettings | undefined,
): readonly Finding[] {
  const key = own?.sudo !== undefined ? 'sudo' : 'user';
  const user = own?.user ?? defaults?.user ?? 'root';
  if (own?.[key] === undefined || (own.sudo ?? defaults?.sudo) !== 'none' || user === 'root') return [];
  const message = `does not reach root: the user is ${user}, and sudo is none (write sudo: passwordless or password)`;
  return [{ path: [...path, key], message, subject: 'none' }];
}

function checkPaths({ paths = {}, binaries }: Parts): readonly Finding[] {
  const all = {
    configDir: paths.configDir ?? '/etc/etcd',
    dataDir: paths.dataDir ?? '/var/lib/etcd',
    ...(paths.walDir === undefined ? {} : { walDir: paths.walDir }),
    libDir: paths.libDir ?? '/usr/local/lib/etcd',
    binDir: paths.binDir ?? '/usr/local/bin',
  };
  const entries = Object.entries(all);
  const crossed = entries.flatMap(([key, path], index) =>
    entries.slice(0, index).flatMap(([other, otherPath]): Finding[] => {
      if (!overlaps(path, otherPath)) return [];
      const blamed = Object.hasOwn(paths, key) ? key : other;
      const message = `${path} and ${otherPath} (${key} and ${other}) lie in each other (write folders apart)`;
      return [{ path: ['paths', blamed], message, subject: 'none' }];
    }),
  );
  const system = binaries?.source === 'system' ? (binaries.directory ?? '/usr/bin') : undefined;
  if (system !== all.binDir) return crossed;
  const message = `is binaries.directory too: the links would replace the binaries (write another folder: /usr/local/bin)`;
  return [...crossed, { path: ['paths', 'binDir'], message, subject: 'none' }];
}

function checkLifetimes({ pki = {} }: Parts): readonly Finding[] {
  const ca = pki.caLifetimeDays ?? 3650;
  const leaf = pki.leafLifetimeDays ?? 365;
  if (leaf < ca) return [];
  const message = `${leaf} days would outlive the CA's ${ca} (write fewer days than caLifetimeDays)`;
  return [
    {
      path: ['pki', pki.leafLifetimeDays === undefined ? 'caLifetimeDays' : 'leafLifetimeDays'],
      message,
      subject: 'none',
    },
  ];
}

function checkExternal({ pki = {} }: Parts): readonly Finding[] {
  const { authorities = 'separate', external = [] } = pki;
  const known: readonly string[] = authorities === 'single' ? ['both'] : ['client', 'peer'];
  return external.flatMap((each, index): Finding[] => {
    if (known.includes(each)) return [];
    const message = `${each} is no authority of authorities: ${authorities} (write ${known.join(' or ')})`;
    return [{ path: ['pki', 'external', index], message, subject: 'none' }];
  });
}

function checkRenewal({ pki = {} }: Parts): readonly Finding[] {
  const { renewBefore, leafLifetimeDays = 365 } = pki;
  if (renewBefore === undefined || renewBefore.endsWith('%')) return [];
  if (parseDuration(renewBefore, 'pki.renewBefore') < leafLifetimeDays * 86_400_000) return [];
  const message = `${renewBefore} is not less than the ${leafLifetimeDays} days that leaves live: they would always be due (write less)`;
  return [{ path: ['pki', 'renewBefore'], message, subject: 'none' }];
}
