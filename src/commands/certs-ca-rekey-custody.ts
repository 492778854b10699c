/** quorate certs ca rekey-custody: other recipients, or a passphrase, for every private key in the state directory. */
import { QuorateError } from '../domain/errors.ts';
import { flag, type Verb, value, values } from './command.ts';

export const certsCaRekeyCustody: Verb = async (invocation, ports) => {
  const cluster = await ports.clusterAt(undefined);
  const recipients = values(invocation, 'recipient');
  const toIdentity = value(invocation, 'toIdentity');
  const passphrase = flag(invocation, 'passphrase');
  if (passphrase && toIdentity !== undefined) {
    throw new QuorateError('usage', 'certs ca rekey-custody: --passphrase and --to-identity are two ways of the same', {
      hint: 'name one of them; --recipient goes with both',
    });
  }
  if (!flag(invocation, 'yes')) {
    const question = `Encrypt every private key of ${cluster.name} anew? Identities that are not named no longer open them.`;
    const answer = await ports.ui.confirm({ question, expect: 'yes', instead: '--yes' });
    if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
  }
  const done = await ports.rekeyCustody(cluster, { recipients, toIdentity, passphrase });
  if (ports.ui.mode === 'json') ports.ui.json({ cluster: cluster.name, keys: done.keys, recipients: done.recipients });
  ports.ui.out(
    `${done.keys.length} keys are encrypted to ${done.recipients.length} recipients, and were opened again:`,
  );
  for (const each of done.recipients) ports.ui.out(`  ${each}`);
  const missing = done.recipients.filter((each) => !cluster.pki.recipients.includes(each));
  if (recipients.some((each) => missing.includes(each))) {
    ports.ui.note(`keys that are made later go to the inventory's pki.recipients: add ${recipients.join(', ')}`);
  }
  ports.ui.note(
    'copies of the state directory (git, backups) still hold the keys as they were: whoever has the old identity opens those',
  );
  return 0;
};
