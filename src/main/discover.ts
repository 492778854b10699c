/** Looks at hosts that are in no inventory yet: their own names and addresses, for `init`. */
import type { HostTarget } from '../commands/command.ts';
import type { Controller } from '../domain/controller.ts';
import { openAll } from '../transport/open.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

/** What a host says of itself; a host that cannot be reached is told why. */
export type Discovered =
  | { readonly hostname: string; readonly addresses: readonly string[] }
  | { readonly failure: string };

const LOOK_TIMEOUT_MS = 15_000;

/** One answer for each target, in their order. */
export async function discoverHosts(
  targets: readonly HostTarget[],
  input: { readonly ui: Ui; readonly process: Process; readonly acceptNewHostKeys: boolean },
): Promise<readonly Discovered[]> {
  const controllers = targets.map((target, index) => controllerFor(target, index, input.process));
  const { ui } = input;
  const transports = await openAll(controllers, {
    env: input.process.env,
    acceptNewHostKeys: input.acceptNewHostKeys,
    askSecret: ui.terminal.interactive ? (question) => ui.askSecret({ question, instead: 'an SSH agent' }) : undefined,
  });
  try {
    return await Promise.all(
      controllers.map(async ({ name }): Promise<Discovered> => {
        const connection = transports.connections.get(name);
        const failure = transports.failures.find((each) => each.host === name);
        if (connection === undefined) return { failure: failure?.message ?? `${name}: not reached` };
        const script = 'cat /proc/sys/kernel/hostname; ip -o addr show scope global 2>/dev/null || :';
        const { stdout } = await connection.run(
          { script, root: false, label: 'looking at the host' },
          { timeoutMs: LOOK_TIMEOUT_MS },
        );
        const [hostname = '', ...lines] = stdout.trim().split('\n');
        const addresses = lines.flatMap((line) => /\binet6? ([0-9a-fA-F.:]+)\//.exec(line)?.[1] ?? []);
        return { hostname: hostname.trim(), addresses };
      }),
    );
  } finally {
    await transports.close();
  }
}

function controllerFor(target: HostTarget, index: number, { home }: Process): Controller {
  const name = target.host || `host-${index + 1}`;
  return {
    name,
    transport: 'ssh',
    ssh: {
      address: target.host,
      port: target.port ?? 22,
      user: target.user ?? 'root',
      identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((file) => `${home}/.ssh/${file}`),
      agent: true,
      passphraseEnv: undefined,
      passwordEnv: undefined,
      hostKey: undefined,
      knownHostsFiles: [`${home}/.ssh/known_hosts`, '/etc/ssh/ssh_known_hosts'],
      sudo: 'none',
      connectTimeoutMs: 10_000,
      bastion: undefined,
    },
    listenAddresses: [],
    advertiseAddress: target.host,
    clientPort: 2379,
    peerPort: 2380,
    metricsPort: 2381,
    clientUrl: '',
    peerUrl: '',
    sans: { dns: [], ip: [] },
  };
}
