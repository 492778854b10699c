import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { parseHostArgument } from '../../../src/inventory/host-argument.ts';

describe('parseHostArgument', () => {
  it.each([
    ['10.0.0.1', undefined, '10.0.0.1', undefined],
    ['root@a.example.org:2222', 'root', 'a.example.org', 2222],
    ['fd00::1', undefined, 'fd00::1', undefined],
    ['ops@[fd00::1]:22', 'ops', 'fd00::1', 22],
    ['[fd00::1]', undefined, 'fd00::1', undefined],
    ['ada@corp.example@h', 'ada@corp.example', 'h', undefined],
  ])('reads %s', (text, user, host, port) => {
    expect(parseHostArgument(text)).toEqual({ user, host, port });
  });

  it.each([
    ['', '"": "" is no IP address or DNS name (write 10.0.0.1, fd00::1 or host.example.org)'],
    ['$(id)@h', '"$(id)@h": "$(id)" is no user name (write a login name: root)'],
    ['h;id', '"h;id": "h;id" is no IP address or DNS name (write 10.0.0.1, fd00::1 or host.example.org)'],
    ['h:99999', '"h:99999": ":99999" is no port (write a number of 1 to 65535)'],
    ['h:', '"h:": ":" is no port (write a number of 1 to 65535)'],
    [
      '-oProxyCommand=x',
      '"-oProxyCommand=x": "-oProxyCommand=x" is no IP address or DNS name (write 10.0.0.1, fd00::1 or host.example.org)',
    ],
    ['ssh://h', '"ssh://h": "ssh://h" is a URL (write the host alone: 10.0.0.1 or host.example.org)'],
    ['h\nx', '"h\\nx": "h\\nx" is no IP address or DNS name (write 10.0.0.1, fd00::1 or host.example.org)'],
  ])('refuses %j', (text, message) => {
    expect(() => parseHostArgument(text)).toThrow(expect.objectContaining({ code: 'usage', message }));
  });

  it('throws nothing but usage errors', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a1@:[].-$ \n') })), (text) => {
        try {
          return parseHostArgument(text).host !== '';
        } catch (error) {
          return error instanceof QuorateError && error.code === 'usage';
        }
      }),
    );
  });
});
