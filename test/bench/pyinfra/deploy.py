"""What `quorate bootstrap` does, as a careful pyinfra deploy: keys made on the members, two authorities, the same files,
the same unit, and a wait for health at the end. Data comes from the benchmark's inventory: version, url, sha256, files,
pki, scripts, member, address."""

import subprocess
from pathlib import Path

from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.facts.systemd import SystemdStatus
from pyinfra.operations import files, python, server, systemd
from pyinfra.operations.util import any_changed

data = host.data
library = f"/usr/local/lib/etcd/{data.version}"
folder = "/etc/etcd/pki"
pki = Path(data.pki)
rendered = Path(data.files) / data.member
certificates = ["ca.crt", "peer-ca.crt"] + [f"{data.member}/{each}.crt" for each in ("server", "peer", "client")]
started = host.get_fact(SystemdStatus).get("etcd.service", False)


def put_certificates():
    return [
        files.put(
            name=f"Certificate {each}",
            src=str(pki / each),
            dest=f"{folder}/{Path(each).name}",
            user="root",
            group="root",
            mode="644",
        )
        for each in certificates
    ]


def issue():
    sign = ["sh", f"{data.scripts}/sign.sh", data.pki, data.member, data.address, f"{data.pki}/{data.member}.pem"]
    subprocess.run(sign, check=True)
    put_certificates()


server.user(
    name="Account",
    user="etcd",
    system=True,
    shell="/usr/sbin/nologin",
    home="/nonexistent",
    create_home=False,
)
files.directory(name="Folder of binaries", path=library, mode="755")
files.directory(name="Folder of certificates", path=folder, mode="755")
files.directory(name="Data dir", path="/var/lib/etcd", user="etcd", group="etcd", mode="700")

changes = []
if host.get_fact(File, path=f"{library}/etcdutl") is None:
    tarball = f"{library}.tar.gz"
    files.download(name="Tarball", src=data.url, dest=tarball, sha256sum=data.sha256)
    server.shell(
        name="Binaries",
        commands=[f"tar -xzf {tarball} -C {library} --strip-components=1 --no-same-owner && rm {tarball}"],
    )
for program in ("etcd", "etcdctl", "etcdutl"):
    changes.append(files.link(name=f"Link {program}", path=f"/usr/local/bin/{program}", target=f"{library}/{program}"))

if all((pki / each).exists() for each in certificates):
    changes += put_certificates()
else:
    server.script(name="Keys and requests", src=f"{data.scripts}/keys.sh", args=(folder, "etcd"))
    files.get(name="Requests", src=f"{folder}/requests.pem", dest=f"{data.pki}/{data.member}.pem")
    python.call(name="Certificates", function=issue)

for path, group, mode in (
    ("/etc/etcd/etcd-config.yml", "etcd", "640"),
    ("/etc/systemd/system/etcd.service", "root", "644"),
    ("/etc/etcd/record-start.sh", "root", "644"),
    ("/etc/etcd/record-starting.sh", "root", "644"),
    ("/etc/profile.d/etcdctl.sh", "root", "644"),
    ("/etc/bash_completion.d/etcdctl", "root", "644"),
):
    put = files.put(name=path, src=f"{rendered}{path}", dest=path, user="root", group=group, mode=mode)
    if path.startswith("/etc/etcd") or path.endswith(".service"):
        changes.append(put)

systemd.daemon_reload(name="Unit", _if=any_changed(*changes))
if data.start:
    if started:
        systemd.service(name="Changes", service="etcd.service", restarted=True, _if=any_changed(*changes))
    systemd.service(name="Service", service="etcd.service", running=True, enabled=True)
    tls = f"--cacert {folder}/ca.crt --cert {folder}/client.crt --key {folder}/client.key"
    health = f"/usr/local/bin/etcdctl endpoint health --endpoints https://127.0.0.1:2379 {tls}"
    server.shell(name="Health", commands=[f"n=0; until {health}; do n=$((n+1)); [ $n -lt 100 ] || exit 1; sleep 0.2; done"])
