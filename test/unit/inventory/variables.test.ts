import { describe, expect, it } from 'vitest';
import { complaintsAbout, inventoryText, parse } from './samples.ts';

function portOf(value: string, env: Readonly<Record<string, string>> = {}): number | undefined {
  return parse(inventoryText({ ssh: `{port: "${value}"}` }), env).settings.ssh?.port;
}

describe('variables in an inventory', () => {
  it('fill numbers, with defaults for what is unset or empty', () => {
    expect(portOf(`\${PORT}`, { PORT: '2222' })).toBe(2222);
    expect(portOf(`\${PORT:-2200}`)).toBe(2200);
    expect(portOf(`\${PORT:-2200}`, { PORT: '' })).toBe(2200);
    expect(portOf(`2\${REST}`, { REST: '22' })).toBe(222);
  });

  it('fill flags and parts of texts', () => {
    const { ssh } = parse(inventoryText({ ssh: `{agent: "\${A}", identityFiles: "\${D}/\${F:-id}"}` }), {
      A: 'false',
      D: '/k',
    }).settings;
    expect(ssh).toEqual({ agent: false, identityFiles: ['/k/id'] });
  });

  it('fill etcd’s keys by etcd’s types', () => {
    const etcd = `{snapshot-count: "\${N}", pre-vote: "\${P}", auth-token: "\${T}", quota-backend-bytes: "\${Q}"}`;
    const env = { N: '5000', P: 'true', T: '123', Q: '4GiB' };
    expect(parse(inventoryText({ etcd }), env).settings.etcd).toEqual({
      'snapshot-count': 5000,
      'pre-vote': true,
      'auth-token': '123',
      'quota-backend-bytes': '4GiB',
    });
  });

  it('are escaped by two dollar signs', () => {
    const { pki } = parse(inventoryText({ pki: `{organization: "A$$B $\${C}"}` })).settings;
    expect(pki?.organization).toBe(`A$B \${C}`);
  });

  it('can never become YAML', () => {
    const said = complaintsAbout(inventoryText({ ssh: `{user: "\${U}"}` }), { U: 'x, port: 1}\nservice: {user: root' });
    expect(said).toEqual([`x.yml:4:13: ssh.user: the value of \${U} is no user name (write a login name: root)`]);
  });

  it('are not repeated in complaints: their values may be secrets', () => {
    const said = complaintsAbout(inventoryText({ ssh: `{port: "\${S}"}`, pki: `{algorithm: "\${S}"}` }), {
      S: 'hunter2',
    });
    expect(said).toHaveLength(2);
    expect(said.join()).not.toContain('hunter2');
  });

  it('are complained about where they stand, each once', () => {
    expect(
      complaintsAbout(inventoryText({ ssh: `{port: "\${PORT}", user: "$USER", sudo: "\${x-y}", agent: "\${A"}` })),
    ).toEqual([
      `x.yml:4:13: ssh.port: needs the variable PORT, which is not set (export it, or write \${PORT:-default})`,
      `x.yml:4:30: ssh.user: has a $ that begins nothing (write \${NAME}, or $$ for a dollar sign)`,
      `x.yml:4:45: ssh.sudo: has a \${…} that is no variable (write \${NAME} or \${NAME:-default}, the default without $)`,
      `x.yml:4:62: ssh.agent: has a \${ without its } (write \${NAME} or \${NAME:-default})`,
    ]);
  });

  it('are not looked for in keys and comments, nor among what every object inherits', () => {
    expect(complaintsAbout(`# \${NOPE}\n${inventoryText()}`)).toEqual([]);
    expect(complaintsAbout(inventoryText({ ssh: `{user: "\${toString}"}` }))[0]).toContain(
      'needs the variable toString',
    );
  });
});
