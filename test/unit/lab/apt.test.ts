import { describe, expect, it } from 'vitest';
import { formatSources, parseSources } from '../../../src/lab/apt.ts';

const key = '/usr/share/keyrings/archive.gpg';

describe('parseSources', () => {
  it('reads deb822 stanzas with several suites and leaves out sources of source packages and disabled ones', () => {
    const text = `Types: deb
# a note
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: ${key}

Types: deb-src
URIs: http://mirror.test/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://other.test/debian
Suites: bookworm
Components: main
`;
    const shared = { uri: 'http://mirror.test/debian', components: ['main', 'contrib'], signedBy: key };
    expect(parseSources(text, 'deb822')).toEqual([
      { ...shared, suite: 'bookworm' },
      { ...shared, suite: 'bookworm-updates' },
    ]);
  });

  it('reads one-line entries with and without options', () => {
    const text = `# comment
deb [arch=amd64 signed-by=${key}] http://mirror.test/debian bookworm main contrib # why
deb-src http://mirror.test/debian bookworm main
deb http://mirror.test/security bookworm-security main
`;
    expect(parseSources(text, 'list')).toEqual([
      { uri: 'http://mirror.test/debian', suite: 'bookworm', components: ['main', 'contrib'], signedBy: key },
      { uri: 'http://mirror.test/security', suite: 'bookworm-security', components: ['main'], signedBy: undefined },
    ]);
  });

  it('reads back what formatSources wrote', () => {
    const sources = [
      { uri: 'http://mirror.test/debian', suite: 'bookworm', components: ['main'], signedBy: key },
      { uri: 'http://mirror.test/debian', suite: 'trixie', components: ['main', 'contrib'], signedBy: undefined },
    ];
    expect(parseSources(formatSources(sources), 'list')).toEqual(sources);
  });
});
