/** The shape of `controllers:` and `ports:`. */
import * as z from 'zod/mini';
import { addressRule, ipRule, listenRule, sanRule } from './address-rules.ts';
import { choice, fieldNotes, integer, section, text } from './fields.ts';
import { nameRule } from './name-rules.ts';
import { sshOverridesSchema } from './schema-ssh.ts';

const portFields = {
  client: z.optional(integer(1, 65535, 'Port for clients. Default: 2379.')),
  formerClient: z.optional(
    integer(1, 65535, 'Port for clients of before, served beside `client` until they have left it. Default: none.'),
  ),
  peer: z.optional(integer(1, 65535, 'Port between members. Default: 2380.')),
  metrics: z.optional(integer(1, 65535, 'Loopback port for metrics and health over http. Default: 2381.')),
} as const;

export const portsSchema = section(portFields, 'Ports of etcd on every controller.');

/** One host. */
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
    state: z.optional(
      choice(
        ['present', 'absent'],
        'absent: its member is to leave the cluster, and apply removes it once --remove names it. Default: present.',
      ),
    ),
  },
  'One host, that runs one member.',
);

export const controllersSchema = z
  .record(text(nameRule, 'Name of the controller.'), controllerSchema)
  .check(
    z.check((payload) => {
      const all = Object.values(payload.value);
      if (all.some((each) => each.state !== 'absent')) return;
      const message =
        all.length > 0
          ? 'has no controller that stays (state: absent in all of them)'
          : 'has no controller (write one below: controller-1: {address: 10.0.0.1})';
      payload.issues.push({ code: 'custom', input: payload.value, message });
    }),
  )
  .register(fieldNotes, { about: 'The hosts by name. The name is the member’s, and should be the host’s own.' });

export type ControllerSettings = z.output<typeof controllerSchema>;
export type PortSettings = z.output<typeof portsSchema>;
