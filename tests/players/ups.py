"""Plays a UPS on a 232 line: text commands that end with a carriage return, over TCP.

Settings: {"replies": {"QGS": "220.0 50.0 220.0 50.0 001.0 030"}}: what it says to each command, without the bracket.
Orders:   set {command, reply}
Reports:  listening <port>, once; done "set" for each order, when it holds.
"""

import asyncio

from control import obey, report, settings


async def main():
    replies = settings()["replies"]

    async def converse(reader, writer):
        try:
            while True:
                command = (await reader.readuntil(b"\r")).decode().strip()
                writer.write(f"({replies.get(command, 'NAK')}\r".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    report("listening", server.sockets[0].getsockname()[1])

    async def set_reply(command, reply):
        replies[command] = reply
        report("done", "set")

    await obey({"set": set_reply})


asyncio.run(main())
