import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type RootMode, stageScript } from '../../../src/transport/stage.ts';

const modes: readonly RootMode[] = ['login', 'none', 'passwordless', 'password'];

it('gives login shells nothing that any of them reads inside single quotes, and little enough for csh', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...modes), (text, mode) => {
      const { command } = stageScript(text.replaceAll('\0', ''), mode, 'nonce0123456789');
      const [before = '', quoted = '', after, ...more] = command.split("'");
      expect(more).toEqual([]);
      expect(after).toBe(' quorate');
      expect(before).toMatch(/^[A-Za-z0-9 /-]*$/);
      expect(quoted).not.toMatch(/[!\\'\n\r]|[^ -~]/);
      expect(command.length).toBeLessThan(1_000);
    }),
  );
});

it('refuses NUL in a script and a nonce that a shell could read', () => {
  expect(() => stageScript('a\0', 'login', 'nonce0123456789')).toThrow(RangeError);
  expect(() => stageScript('a', 'login', 'nonce;reboot')).toThrow(RangeError);
});
