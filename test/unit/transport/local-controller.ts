/** A controller on this machine; only its name and its transport matter. */
import type { Controller } from '../../../src/domain/controller.ts';

export const localController: Controller = {
  name: 'here',
  transport: 'local',
  ssh: {
    ...{ address: '127.0.0.1', port: 22, user: 'root', identityFiles: [], agent: false, passphraseEnv: undefined },
    ...{ passwordEnv: undefined, hostKey: undefined, knownHostsFiles: [], sudo: 'none' },
    ...{ connectTimeoutMs: 1_000, bastion: undefined },
  },
  listenAddresses: ['127.0.0.1'],
  advertiseAddress: '127.0.0.1',
  ...{ clientPort: 2379, peerPort: 2380, metricsPort: 2381 },
  clientUrl: 'https://127.0.0.1:2379',
  peerUrl: 'https://127.0.0.1:2380',
  sans: { dns: [], ip: [] },
};
