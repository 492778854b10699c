/** Where plaintext private keys go: memory that ends with the login, or where the operator says. */
import { join, resolve } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { type Invocation, type Ports, value } from './command.ts';

/** `--out`, or `$XDG_RUNTIME_DIR/quorate`; absolute. @throws QuorateError usage where there is neither */
export function keyFolder(invocation: Invocation, ports: Ports, verb: string): string {
  const told = value(invocation, 'out');
  if (told !== undefined) return resolve(ports.operator.directory, told);
  const runtime = ports.operator.env['XDG_RUNTIME_DIR'];
  if (runtime !== undefined && runtime !== '') return join(runtime, 'quorate');
  const why = 'XDG_RUNTIME_DIR is not set, so there is no place for a plaintext key that ends with the login';
  throw new QuorateError('usage', `${verb}: ${why}`, {
    hint: `name one: quorate ${verb} --out DIR (a folder that only you can read)`,
  });
}
