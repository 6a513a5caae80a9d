"""`nox -s mta`: reports through Postfix, with STARTTLS, and a login that Dovecot judges, on a port of loopback.

Needs root and the Debian packages postfix and dovecot-core (2.3); nothing of their own configuration is touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import trustme

from .conftest import CLI
from .entrypoint.test_mail_servers import listed, put_report

pytestmark = pytest.mark.mta

POSTFIX = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
alias_maps =
message_size_limit = 200000
virtual_mailbox_domains = example.com
virtual_mailbox_base = {root}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_cert_file = {root}/server.pem
smtpd_tls_key_file = {root}/server.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {root}/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
    check_recipient_access inline:{{{{later@example.com = 450 4.2.0 later}}, {{gone@example.com = 550 5.1.1 gone}}}},
    permit_sasl_authenticated, reject
"""
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """
base_dir = {root}/dovecot
log_path = {root}/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password=right
}}
service auth {{
  unix_listener {root}/auth {{
    mode = 0666
  }}
}}
"""


@dataclass(frozen=True)
class MTA:
    root: Path
    port: int

    def arrived(self, number: int) -> list[EmailMessage]:
        """So many mails, when they are there."""
        inbox = self.root / "inbox" / "new"
        deadline = time.monotonic() + 20
        while len(list(inbox.glob("*"))) < number and time.monotonic() < deadline:
            time.sleep(0.05)
        mails = [message_from_bytes(path.read_bytes(), EmailMessage, policy=default) for path in inbox.iterdir()]
        assert len(mails) == number, (self.root / "log").read_text()
        return mails


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def mta(authority: trustme.CA) -> Iterator[MTA]:
    commands = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("postfix", "dovecot")]
    assert all(commands), "this needs the Debian packages postfix and dovecot-core"
    assert os.geteuid() == 0, "this needs root: Postfix starts for nobody else"
    postfix, dovecot = map(str, commands)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        root, port = Path(folder), listener.getsockname()[1]
        root.chmod(0o755)
        configure(root, port, authority)
        listener.close()
        auth = subprocess.Popen([dovecot, "-F", "-c", str(root / "dovecot.conf")])
        server = subprocess.Popen([postfix, "-c", str(root / "postfix"), "start-fg"])
        try:
            wait_for(port, root)
            yield MTA(root, port)
        finally:
            # Its master has a session of its own, which no signal to the starter reaches.
            subprocess.run([postfix, "-c", str(root / "postfix"), "stop"], check=False, capture_output=True)
            auth.terminate()
            for process in (server, auth):
                process.wait(20)


def configure(root: Path, port: int, authority: trustme.CA) -> None:
    owner = pwd.getpwnam("postfix")
    for name in ("postfix", "queue", "data", "inbox", "dovecot"):
        (root / name).mkdir()
    for name in ("data", "inbox"):
        os.chown(root / name, owner.pw_uid, owner.pw_gid)
    authority.cert_pem.write_to_path(str(root / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(root / "server.pem"))
    settings = POSTFIX.format(root=root, uid=owner.pw_uid, gid=owner.pw_gid)
    (root / "postfix" / "main.cf").write_text(settings)
    (root / "postfix" / "master.cf").write_text(SERVICES.format(port=port))
    (root / "dovecot.conf").write_text(DOVECOT.format(root=root))


def wait_for(port: int, root: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and (root / "auth").exists():
                return
        time.sleep(0.05)
    raise AssertionError((root / "log").read_text() if (root / "log").exists() else "Postfix did not start")


@pytest.fixture
def desk(cli: CLI, mta: MTA) -> CLI:
    cli.settings |= {
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_SMTP_HOST": "127.0.0.1",
        "EMAIL_SMTP_PORT": str(mta.port),
        "EMAIL_CA_FILE": str(mta.root / "authority.pem"),
        "EMAIL_USERNAME": "desk",
        "EMAIL_PASSWORD": "right",
        "EMAIL_MAX_RETRIES": "1",
    }
    return cli


def test_a_report_arrives_byte_by_byte_over_tls_after_the_login(desk: CLI, mta: MTA) -> None:
    path = put_report(desk, "Bericht für März.xlsx")
    desk.ok("send")
    (mail,) = mta.arrived(1)
    (row,) = listed(desk, "--all")
    assert "queued as" in row["reply"]
    assert mail["Message-ID"] == row["message_id"]
    assert "with ESMTPSA" in str(mail["Received"]), "S is TLS, A the login"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()] == [
        ("Bericht für März.xlsx", path.read_bytes())
    ]


def test_a_wrong_password_is_a_settings_error(desk: CLI, mta: MTA) -> None:
    put_report(desk)
    desk.settings["EMAIL_PASSWORD"] = "wrong"
    result = desk("send")
    assert result.exit_code == 2
    assert "refused the login: 535" in result.stderr


def test_an_authority_that_is_not_configured_is_not_trusted(desk: CLI, mta: MTA) -> None:
    put_report(desk)
    del desk.settings["EMAIL_CA_FILE"]
    assert desk("send").exit_code == 2


def test_reports_are_split_into_mails_by_the_size_limit(desk: CLI, mta: MTA) -> None:
    for number in range(3):
        put_report(desk, f"{number}.xlsx", age=900 - number, rows=120)
    put_report(desk, "huge.xlsx", rows=600)
    result = desk("send")
    assert result.exit_code == 0
    names = [[part.get_filename() for part in mail.iter_attachments()] for mail in mta.arrived(4)]
    # The mail without an attachment says where the fourth report is.
    assert sorted(names) == [[], ["0.xlsx"], ["1.xlsx"], ["2.xlsx"]]
    assert listed(desk) == []


def test_deferred_and_refused_recipients_are_in_the_log(desk: CLI, mta: MTA) -> None:
    put_report(desk)
    desk.settings["EMAIL_RECIPIENT"] = "lead@example.com, later@example.com, gone@example.com"
    assert desk("send").exit_code == 5
    mta.arrived(1)
    (row,) = listed(desk)
    assert [(one["address"], one["state"]) for one in row["recipients"]] == [
        ("lead@example.com", "sent"),
        ("later@example.com", "deferred"),
        ("gone@example.com", "refused"),
    ]
