"""A mail server for tests: STARTTLS, TLS and no TLS on three loopback ports, with a user of its own.

usage: smtp_server.py FOLDER STARTTLS_PORT TLS_PORT PLAIN_PORT

FOLDER holds server.pem and server.key; mails that were taken are files of FOLDER/mail/new. A receiver called `refused@...` is
unknown, and one called `later@...` is asked to come again the first time that a mail of a sender names it.
"""

import asyncio
import mailbox
import pathlib
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


def log_in(server, session, envelope, mechanism, data):
    is_known = (data.login, data.password) == (b"etl", b"test-only")
    # Without `handled` the answer of a failure would never be sent.
    return AuthResult(success=is_known, handled=False)


class Handler:
    def __init__(self, folder):
        self.mails = mailbox.Maildir(folder)
        self.asked = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@") and (envelope.mail_from, address) not in self.asked:
            self.asked.add((envelope.mail_from, address))
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = mailbox.MaildirMessage(envelope.content)
        message.add_header("X-Envelope-To", ",".join(envelope.rcpt_tos))
        self.mails.add(message)
        return "250 taken"


def main():
    folder = pathlib.Path(sys.argv[1])
    starttls_port, tls_port, plain_port = map(int, sys.argv[2:5])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    handler = Handler(folder / "mail")

    class StartTls(Controller):
        def factory(self):
            return SMTP(self.handler, tls_context=context, require_starttls=True, auth_required=True, authenticator=log_in)

    class Tls(Controller):
        def factory(self):
            return SMTP(self.handler, auth_required=True, auth_require_tls=False, authenticator=log_in)

    controllers = [
        StartTls(handler, hostname="127.0.0.1", port=starttls_port),
        Tls(handler, hostname="127.0.0.1", port=tls_port, ssl_context=context),
        Controller(handler, hostname="127.0.0.1", port=plain_port),
    ]
    for controller in controllers:
        controller.start()
    asyncio.new_event_loop().run_forever()


if __name__ == "__main__":
    main()
