/** The shape of an inventory: the one place that says which keys there are. Rules over several keys are in rules.ts. */
import * as z from 'zod/mini';
import { choice, fieldNotes, flag, section, text } from './fields.ts';
import { accountRule, hazardRule, nameRule, unitRule, versionRule } from './name-rules.ts';
import { binDirRule, operatorPathRule, ownDirRule } from './path-rules.ts';
import { controllersSchema, portsSchema } from './schema-controllers.ts';
import { binariesSchema, pkiSchema } from './schema-material.ts';
import { sshDefaultsSchema } from './schema-ssh.ts';

const API_VERSION = 'quorate/v1';

const clusterSchema = section(
  {
    name: text(nameRule, 'Name of the cluster: its state folder, its certificates, what destroying it asks for.'),
    version: text(versionRule, 'Release of etcd, in full and without v.'),
  },
  'What is built.',
);

const pathsSchema = section(
  {
    configDir: z.optional(text(ownDirRule, 'Configuration and certificates. Default: /etc/etcd.')),
    dataDir: z.optional(text(ownDirRule, 'etcd’s data. Default: /var/lib/etcd.')),
    walDir: z.optional(text(ownDirRule, 'A folder of its own for the WAL, on a disk of its own. Default: in dataDir.')),
    libDir: z.optional(text(ownDirRule, 'Binaries, one folder a version. Default: /usr/local/lib/etcd.')),
    binDir: z.optional(text(binDirRule, 'Links to the binaries in use. Default: /usr/local/bin.')),
  },
  'Folders on the hosts.',
);

const serviceSchema = section(
  {
    unit: z.optional(text(unitRule, 'systemd unit. Default: etcd.service.')),
    user: z.optional(text(accountRule, 'System account, and its group, that runs etcd. Default: etcd.')),
  },
  'How etcd runs on the hosts.',
);

/** etcd's keys are checked against the release's own table, not here. */
const etcdSchema = z
  .looseObject({
    access: z.optional(choice(['tunnel', 'direct'], 'How quorate talks to etcd. Default: tunnel.')),
    plaintextClients: z.optional(
      flag('Serve plaintext beside TLS to clients of an adopted cluster that had none. Default: false.'),
    ),
  })
  .register(fieldNotes, {
    about: 'etcd’s own configuration keys, by etcd’s names; and access and plaintextClients, which are quorate’s.',
  });

/** Keys of that section that are quorate's. */
export const ownEtcdKeys = ['access', 'plaintextClients'] as const;

const stateSchema = section(
  {
    directory: z.optional(
      text(operatorPathRule, 'CA certificates, encrypted keys, journal. Default: .quorate/CLUSTER.'),
    ),
    lockFile: z.optional(text(operatorPathRule, 'Checksums of releases seen. Default: quorate.lock.yml.')),
  },
  'What quorate keeps on the operator’s machine, relative to the inventory.',
);

/** Every section by its key. */
export const sections = {
  apiVersion: z.literal(API_VERSION).register(fieldNotes, { about: 'Version of this format.' }),
  cluster: clusterSchema,
  ssh: z.optional(sshDefaultsSchema),
  controllers: controllersSchema,
  ports: z.optional(portsSchema),
  paths: z.optional(pathsSchema),
  service: z.optional(serviceSchema),
  etcd: z.optional(etcdSchema),
  pki: z.optional(pkiSchema),
  binaries: z.optional(binariesSchema),
  state: z.optional(stateSchema),
  acceptHazards: z.optional(
    z.array(text(hazardRule, 'ID of a hazard.')).register(fieldNotes, {
      about: 'Known hazards of this release that are accepted, by ID.',
    }),
  ),
} as const;

export const inventorySchema = section(sections, 'Inventory of quorate: one etcd cluster.');

/** An inventory as it was written, checked, with variables filled in and numbers read; no defaults yet. */
export type InventorySettings = z.output<typeof inventorySchema>;

/** What of an inventory could be read. */
export type Parts = { readonly [Key in keyof InventorySettings]?: InventorySettings[Key] | undefined };
