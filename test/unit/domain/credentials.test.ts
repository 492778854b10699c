import { expect, it } from 'vitest';
import { withoutCredentials, withoutUserinfo } from '../../../src/domain/credentials.ts';

it.each([
  ['Environment=DB_PASSWORD=hunter2', 'Environment=DB_PASSWORD=<redacted>'],
  ['Environment="DB_PASSWORD=hunter 2" "X=hunter"', 'Environment="DB_PASSWORD=<redacted>'],
  ["Environment='my.password'=hunter2", "Environment='my.password'=<redacted>"],
  ['ExecStart=/bin/x --password=hunter2 --verbose', 'ExecStart=/bin/x --password=<redacted>'],
  ['ExecStart=/bin/x --password hunter2', 'ExecStart=/bin/x --password <redacted>'],
  ['ExecStart=/bin/x --password \\\n  hunter2\nUser=x', 'ExecStart=/bin/x --password <redacted>\nUser=x'],
  ['Environment=AWS_SECRET_ACCESS_KEY=hunter2', 'Environment=AWS_SECRET_ACCESS_KEY=<redacted>'],
  ['Environment=DB_PASS=hunter2', 'Environment=DB_PASS=<redacted>'],
  ['api_key: hunter2', 'api_key: <redacted>'],
  ['Environment=HTTPS_PROXY=http://ada:hunter2@proxy:3128/', 'Environment=HTTPS_PROXY=http://<redacted>@proxy:3128/'],
  ['Header "Authorization: Bearer hunter2"', 'Header "Authorization:<redacted>'],
])('hides what %j holds', (text, hidden) => {
  const result = withoutCredentials(text);
  expect(result).not.toContain('hunter');
  expect(result.replaceAll(': <', ':<')).toBe(hidden.replaceAll(': <', ':<'));
});

it('leaves the rest of a unit and of a configuration as it is', () => {
  const text = [
    '[Service]\nUser=etcd\nExecStart=/usr/bin/etcd --config-file /etc/etcd/etcd.yml\nEnvironment=GOMAXPROCS=2',
    'data-dir: /var/lib/etcd\nkey-file: /etc/etcd/pki/server.key\nlisten-client-urls: https://10.0.0.1:2379',
    'bypass: yes\ncompass=1',
  ].join('\n');
  expect(withoutCredentials(text)).toBe(text);
});

it('hides user and password of URLs alone in what is no file of settings', () => {
  expect(withoutUserinfo('token=simple dial https://a:b@etcd-2:2379: refused')).toBe(
    'token=simple dial https://<redacted>@etcd-2:2379: refused',
  );
});

it.each(['password', '://', 'password\\\n', 'x=secret '])(
  'takes time that grows with the length of "%s" again and again',
  (word) => {
    const costOf = (length: number): number => {
      const text = word.repeat(Math.ceil(length / word.length));
      const costs = [1, 2, 3].map(() => {
        const before = process.cpuUsage();
        withoutCredentials(text);
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1000;
      });
      return Math.min(...costs);
    };
    expect(costOf(1024 * 1024) / Math.max(costOf(128 * 1024), 5)).toBeLessThan(24);
  },
);
