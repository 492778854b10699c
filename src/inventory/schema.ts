/** The shape of an inventory: the one place that says which keys there are. Rules over several keys are in rules.ts. */
import * as z from 'zod/mini';
import { choice, fieldNotes, integer, section, text } from './fields.ts';
import { binDirRule, existingDirRule, operatorPathRule, ownDirRule } from './path-rules.ts';
import { sshDefaultsSchema, sshOverridesSchema } from './schema-ssh.ts';
import {
  accountRule,
  addressRule,
  hazardRule,
  ipRule,
  listenRule,
  nameRule,
  organizationRule,
  recipientRule,
  sanRule,
  sha256Rule,
  unitRule,
  urlRule,
  versionRule,
} from './value-rules.ts';

export const API_VERSION = 'quorate/v1';

const clusterSchema = section(
  {
    name: text(nameRule, 'Name of the cluster: its state folder, its certificates, what destroying it asks for.'),
    version: text(versionRule, 'Release of etcd, in full and without v.'),
  },
  'What is built.',
);

const portFields = {
  client: z.optional(integer(1, 65535, 'Port for clients. Default: 2379.')),
  peer: z.optional(integer(1, 65535, 'Port between members. Default: 2380.')),
  metrics: z.optional(integer(1, 65535, 'Loopback port for metrics and health over http. Default: 2381.')),
} as const;

const portsSchema = section(portFields, 'Ports of etcd on every controller.');

/** One host; exported for checking controllers one by one. */
export const controllerSchema = section(
  {
    transport: z.optional(choice(['ssh', 'local'], 'local: the machine that quorate runs on. Default: ssh.')),
    address: z.optional(text(addressRule, 'IP address or DNS name that SSH dials.')),
    privateAddress: z.optional(
      text(
        ipRule,
        'IP address that etcd listens on and the others dial. Default: address, where that is an IP address.',
      ),
    ),
    advertiseAddress: z.optional(
      text(addressRule, 'IP address or DNS name that members and clients dial. Default: privateAddress, or address.'),
    ),
    listenAddresses: z.optional(
      z.array(text(listenRule, 'IP address to bind.')).register(fieldNotes, {
        about: 'IP addresses that etcd binds besides loopback; 0.0.0.0 or :: for all. Default: privateAddress.',
      }),
    ),
    sans: z.optional(
      z.array(text(sanRule, 'IP address or DNS name.')).register(fieldNotes, {
        about: 'Further subject alternative names of this member’s certificates.',
      }),
    ),
    ports: z.optional(section(portFields, 'Ports of etcd on this controller, where they differ.')),
    ssh: z.optional(sshOverridesSchema),
  },
  'One host, that runs one member.',
);

const controllersSchema = z
  .record(text(nameRule, 'Name of the controller.'), controllerSchema)
  .check(
    z.check((payload) => {
      if (Object.keys(payload.value).length > 0) return;
      const message = 'has no controller (write one below: controller-1: {address: 10.0.0.1})';
      payload.issues.push({ code: 'custom', input: payload.value, message });
    }),
  )
  .register(fieldNotes, { about: 'The hosts by name. The name is the member’s, and should be the host’s own.' });

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
  .looseObject({ access: z.optional(choice(['tunnel', 'direct'], 'How quorate talks to etcd. Default: tunnel.')) })
  .register(fieldNotes, { about: 'etcd’s own configuration keys, by etcd’s names; and access, which is quorate’s.' });

const pkiSchema = section(
  {
    authorities: z.optional(
      choice(['separate', 'single'], 'separate: one CA for clients and servers, one for peers. Default: separate.'),
    ),
    algorithm: z.optional(
      choice(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'], 'Of every key. Default: ecdsa-p256.'),
    ),
    caLifetimeDays: z.optional(integer(1, 36500, 'Default: 3650.')),
    leafLifetimeDays: z.optional(integer(1, 36500, 'Default: 365.')),
    backdateMinutes: z.optional(
      integer(0, 1440, 'Validity begins this much earlier, for clocks that lag. Default: 5.'),
    ),
    organization: z.optional(text(organizationRule, 'Subject organisation. Default: none.')),
    recipients: z.optional(
      z.array(text(recipientRule, 'age1… recipient.')).register(fieldNotes, {
        about: 'Who else can open the private keys in the state folder, as age recipients.',
      }),
    ),
    identityFile: z.optional(
      text(operatorPathRule, 'age identity that opens the state folder. Default: the operator’s own.'),
    ),
  },
  'What certificates look like, and who can open the CA’s key.',
);

const checksum = z.optional(text(sha256Rule, 'sha256 of the release tarball.'));
const sha256 = z.optional(
  section(
    { amd64: checksum, arm64: checksum, ppc64le: checksum, s390x: checksum },
    'sha256 of the release tarball, by architecture. Default: SHA256SUMS at first use, then quorate.lock.yml.',
  ),
);
const via = z.optional(
  choice(['operator', 'host'], 'Who downloads: quorate, which pushes, or each host by curl. Default: operator.'),
);
const source = <const Word extends string>(word: Word) => z.literal(word);

const binariesSchema = z
  .discriminatedUnion('source', [
    section({ source: source('release'), via, sha256 }, 'The official releases.'),
    section(
      {
        source: source('mirror'),
        url: text(urlRule, 'Address above the folders vVERSION, laid out like the official releases.'),
        via,
        sha256,
      },
      'A mirror with the layout of the official releases.',
    ),
    section(
      {
        source: source('file'),
        path: text(operatorPathRule, 'Release tarball, or folder with the binaries, on the operator’s machine.'),
        sha256,
      },
      'From the operator’s machine: air-gapped.',
    ),
    section(
      {
        source: source('system'),
        directory: z.optional(text(existingDirRule, 'Folder on the hosts. Default: /usr/bin.')),
      },
      'Already on the hosts.',
    ),
  ])
  .register(fieldNotes, { about: 'Where etcd’s binaries come from. Default: the official releases.' });

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
export type ControllerSettings = z.output<typeof controllerSchema>;
export type PortSettings = z.output<typeof portsSchema>;
/** What of an inventory could be read. */
export type Parts = { readonly [Key in keyof InventorySettings]?: InventorySettings[Key] | undefined };
