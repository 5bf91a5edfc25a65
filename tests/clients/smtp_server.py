"""A mail server that keeps what it is sent: one line of JSON for each message on standard output.

usage: smtp_server.py starttls|tls CERTIFICATE KEY
The first line it writes is its port. Only `box` with the password `secret` may send, and only once the connection is
closed to others.
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

kind, certificate, key = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


def say(line):
    print(line, flush=True)


class Keep:
    async def handle_DATA(self, server, session, envelope):
        said = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "user": session.auth_data.decode(),
            "tls": session.ssl is not None or kind == "tls", "text": envelope.content.decode(),
        }
        say(json.dumps(said))
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    fits = (data.login, data.password) == (b"box", b"secret")
    return AuthResult(success=fits, handled=False, auth_data=data.login)


async def main():
    loop = asyncio.get_running_loop()
    rules = {"authenticator": authenticate, "auth_required": True, "hostname": "mail.test"}
    if kind == "starttls":
        make = lambda: SMTP(Keep(), tls_context=context, require_starttls=True, loop=loop, **rules)
        server = await loop.create_server(make, "127.0.0.1", 0)
    else:
        make = lambda: SMTP(Keep(), auth_require_tls=False, loop=loop, **rules)
        server = await loop.create_server(make, "127.0.0.1", 0, ssl=context)
    say(server.sockets[0].getsockname()[1])
    # Ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
