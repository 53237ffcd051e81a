"""Plays a mail server that keeps nothing: aiosmtpd, which tells every mail it took.

Orders:   refuse {code, times}: the next mails are answered with 451 (later) or 550 (never)
Reports:  listening <port>, once; mail {from, to, subject, message_id, taken_at, and its forms} for each
          one taken, with the UTC milliseconds; refused {code, message_id} for each one not; done "refuse" when the order holds.
"""

import asyncio
import email
import email.policy
import time

from aiosmtpd.smtp import SMTP

from control import obey, report
from forms import forms

REPLIES = {451: "451 4.3.0 come back later", 550: "550 5.1.1 nobody here by that name"}


class Mailbox:
    """aiosmtpd's handler: calls come from it, by name."""

    def __init__(self):
        self.refusals = []

    async def handle_DATA(self, _server, _session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if self.refusals:
            code = self.refusals.pop()
            report("refused", {"code": code, "message_id": mail["message-id"]})
            return REPLIES[code]
        report(
            "mail",
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "subject": mail["subject"],
                "message_id": mail["message-id"],
                **forms(mail),
                "taken_at": time.time_ns() // 1_000_000,
            },
        )
        return "250 taken"

    async def refuse(self, code, times):
        self.refusals = [code] * times
        report("done", "refuse")


async def main():
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    report("listening", server.sockets[0].getsockname()[1])
    await obey({"refuse": mailbox.refuse})


asyncio.run(main())
