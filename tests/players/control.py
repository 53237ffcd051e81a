"""How the tests speak with a player: one JSON object a line, orders on stdin, reports on stdout."""

import asyncio
import json
import sys

# The longest order, in bytes: a whole template is one.
LONGEST = 1024 * 1024


def report(what, details):
    """Tells the test what happened, as {"<what>": <details>}. In one write: threads may report, too."""
    print(json.dumps({what: details}) + "\n", end="", flush=True)


def settings():
    """The settings the test gave on the command line, as JSON."""
    return json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}


async def obey(orders):
    """Carries out orders, each a line {"<order>": <arguments>}, until stdin closes.

    A player never outlives its test. An order that is not known ends the player, so that a misspelt test fails at once.
    """
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=LONGEST)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        for order, arguments in json.loads(line).items():
            await orders[order](**arguments)
