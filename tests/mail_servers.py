"""Which real mail servers are there? Debian's Postfix and Dovecot, on loopback, with everything in one folder.

Postfix stands on both sides: it takes the house's mails on one port and the world's on another, brings what is for
our domain to the house by LMTP, and the members' and the hosted mailbox to Dovecot. The machine's own mail, if it has
any, is not touched: other ports, other queues, other configuration. Both stop when their parent dies.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.not_run import not_run
from tests.running import free_port

OURS, HOSTED, MEMBERS = "party.example", "hosted.example", "members.example"
AUTHSERV_ID = f"mx.{OURS}"
PASSWORD = "an-invented-password"
USERS = (f"wangfang@{MEMBERS}", f"tiexin@{HOSTED}", f"box@{HOSTED}")
_PATIENCE = 60.0
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])

# Closing the pipe stops the server, and a killed parent closes it too.
_GUARD = '"$0" -c "$1" ${2:+$2} || exit; read -r _; "$3" -c "$1" stop'


@dataclass(frozen=True, slots=True)
class MailServers:
    """Where they listen, at 127.0.0.1. `lmtp` is free for the house: there Postfix brings its mail.

    submission: for the house's own mails. incoming: for everybody else's; what comes here is judged.
    """

    folder: Path
    submission: int
    incoming: int
    lmtp: int
    imap: int
    dovecot_lmtp: int

    def log(self) -> str:
        """The last lines of both."""
        files = [self.folder / "postfix.log", self.folder / "dovecot.log"]
        return "\n".join(file.read_text(errors="replace")[-2000:] for file in files if file.exists())

    def wake(self) -> None:
        """Let Postfix look at what is coming in.

        A queue run that meets a mail in the very moment it is put off lays it among the incoming ones, and there it
        stays until the next mail comes: with a run every second that happens. A queue manager that opens its door
        anew in the very moment of the kick does not hear it; whoever waits kicks again.
        """
        kick = ["postkick", "-c", str(self.folder / "etc"), "public", "qmgr", "I"]
        ended = subprocess.run(kick, check=False, env=os.environ | {"PATH": _PATH}).returncode
        assert ended in (0, -signal.SIGPIPE), f"postkick ended with {ended}: {self.log()}"

    def brings(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Somebody's server hands a mail in."""
        with smtplib.SMTP("127.0.0.1", self.incoming, "mx.world.example", timeout=_PATIENCE) as client:
            client.sendmail(sender, list(recipients), raw)


def _main(servers: MailServers) -> str:
    to_dovecot = f"lmtp:inet:127.0.0.1:{servers.dovecot_lmtp}"
    return f"""\
compatibility_level = 3.6
queue_directory = {servers.folder}/spool
data_directory = {servers.folder}/data
maillog_file = {servers.folder}/postfix.log
maillog_file_prefixes = {servers.folder}
myhostname = {AUTHSERV_ID}
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
recipient_delimiter = +
relay_domains = {OURS}, {HOSTED}, {MEMBERS}
transport_maps = inline:{{
  {{ {OURS} = lmtp:inet:127.0.0.1:{servers.lmtp} }} {{ {HOSTED} = {to_dovecot} }} {{ {MEMBERS} = {to_dovecot} }} }}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
header_checks = regexp:{servers.folder}/etc/headers
# The verdict travels under a name nobody can guess until every header that claims to be ours is gone.
spf = check_sender_access regexp:{servers.folder}/etc/senders
"""


def _tables(secret: str) -> dict[str, str]:
    """An SPF that knows two domains; and what becomes of headers."""
    passes = f"PREPEND X-{secret}: {AUTHSERV_ID}; spf=pass smtp.mailfrom"
    return {
        "senders": f"/@({MEMBERS})$/ {passes}=$1\n/@(evil\\.example)$/ {passes}=$1\n",
        "headers": (
            f"/^Authentication-Results:[[:space:]]*{AUTHSERV_ID}/ IGNORE\n"
            f"/^X-{secret}:(.*)$/ REPLACE Authentication-Results:$1\n"
        ),
    }


def _master(servers: MailServers) -> str:
    inside = {
        "cleanup": "unix n - n - 0 cleanup", "qmgr": "unix n - n 300 1 qmgr", "error": "unix - - n - - error",
        "rewrite": "unix - - n - - trivial-rewrite", "bounce": "unix - - n - 0 bounce",
        "defer": "unix - - n - 0 bounce", "trace": "unix - - n - 0 bounce", "flush": "unix n - n 1000? 0 flush",
        "proxymap": "unix - - n - - proxymap", "smtp": "unix - - n - - smtp", "retry": "unix - - n - - error",
        "lmtp": "unix - - n - - lmtp", "anvil": "unix - - n - 1 anvil", "scache": "unix - - n - 1 scache",
        "postlog": "unix-dgram n - n - 1 postlogd",
    }  # fmt: skip
    return (
        f"127.0.0.1:{servers.submission} inet n - n - - smtpd\n"
        f"127.0.0.1:{servers.incoming} inet n - n - - smtpd\n  -o smtpd_sender_restrictions=$spf\n"
        + "".join(f"{name} {line}\n" for name, line in inside.items())
    )


def _dovecot(servers: MailServers) -> str:
    folder = servers.folder
    return f"""\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_username_format = %Lu
recipient_delimiter = +
mail_location = maildir:{folder}/mail/%u
default_vsz_limit = 0
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/etc/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/etc/users
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {servers.imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {servers.dovecot_lmtp}
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
}}
"""


@contextmanager
def mail_servers() -> Iterator[MailServers]:
    """Both servers, running; or NOT RUN where they are not installed, or somebody else than root asks for them."""
    found = {name: shutil.which(name, path=_PATH) for name in ("postfix", "dovecot", "doveadm")}
    postfix, dovecot, doveadm = found.values()
    if os.geteuid() != 0 or not (postfix and dovecot and doveadm):
        not_run("real mail servers")
    folder = Path(tempfile.mkdtemp(prefix="tiexin-", dir="/tmp"))  # the path of a unix socket has to be short
    ports = [free_port() for _ in range(5)]
    servers = MailServers(folder, *ports)
    folder.chmod(0o755)
    for name in ("etc", "spool", "data", "mail", "run"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", "nobody")
    secret = secrets.token_hex(12)
    texts = {
        "main.cf": _main(servers), "master.cf": _master(servers), "dovecot.conf": _dovecot(servers),
        "users": "".join(f"{user}:{{PLAIN}}{PASSWORD}:65534:65534::{folder}/mail::\n" for user in USERS),
        **_tables(secret),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / "etc" / name).write_text(text)
    guards = [
        _guarded(folder / "postfix.out", postfix, folder / "etc", "start", postfix),
        _guarded(folder / "dovecot.out", dovecot, folder / "etc" / "dovecot.conf", "", doveadm),
    ]
    try:
        for port in (servers.submission, servers.incoming, servers.imap, servers.dovecot_lmtp):
            _wait_for(port, servers)
        yield servers
    finally:
        for guard in guards:
            guard.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _guarded(log: Path, server: str, config: Path, verb: str, stopper: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, server, str(config), verb, stopper],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
        )


def _wait_for(port: int, servers: MailServers) -> None:
    for _ in range(int(_PATIENCE / 0.05)):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = "\n".join(file.read_text(errors="replace") for file in servers.folder.glob("*.out"))
    raise RuntimeError(f"a mail server did not start: {said}{servers.log()}")
