import { describe, expect, it } from 'vitest';
import { recipeHash } from '../../../src/lab/image.ts';
import { judgeMachine } from '../../../src/lab/requirements.ts';
import { hostsFile } from '../../../src/lab/seed.ts';

describe('judgeMachine', () => {
  const fit = { platform: 'linux', uid: 0, hasApt: true };

  it('accepts root on Linux with apt', () => {
    expect(() => judgeMachine(fit)).not.toThrow();
  });

  it.each([
    [{ ...fit, platform: 'darwin', uid: 501 }, 'the lab needs Linux (systemd-nspawn); this is darwin', 'quorate init'],
    [{ ...fit, uid: 1000 }, 'the lab needs root', 'sudo'],
    [{ ...fit, hasApt: false }, "the lab needs Debian's apt-get", 'Debian 12'],
  ])('refuses %j and says what to run instead', (machine, message, hint) => {
    expect(() => judgeMachine(machine)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });
});

describe('recipeHash', () => {
  it('depends on packages and suite, not on their order', () => {
    const hash = (packages: string[], suite = 'bookworm') => recipeHash({ packages, suite });
    expect(hash(['fish', 'csh'])).toBe(hash(['csh', 'fish']));
    expect(hash(['fish'])).not.toBe(hash(['csh']));
    expect(hash([])).not.toBe(hash([], 'trixie'));
  });
});

describe('hostsFile', () => {
  it('gives every host by its real addresses, and localhost', () => {
    const host = (name: string, last: number) => ({
      name,
      machine: 'x',
      ipv4: `198.18.7.${last}`,
      ipv6: `fd71::${last}`,
    });
    expect(hostsFile([host('a', 11), host('b', 12)])).toBe(
      '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n198.18.7.11 a\nfd71::11 a\n198.18.7.12 b\nfd71::12 b\n',
    );
  });
});
