"""Plays DynamoDB: Amazon's DynamoDB Local, with the table of `template.yaml` in its memory.

Its licence is for those who hold an AWS account, so it is here only where the person who runs the tests says so: `tests/run`
fetches it then. It listens on every address of the machine, for which it has no option; it holds what tests write, for as
long as they run.

Settings: {jar}: where it lies
Reports:  listening <port>, once the table is there
"""

import asyncio
import os
import pathlib
import socket
import sys
import time

from botocore.exceptions import EndpointConnectionError

import template
from control import obey, report, settings

PATIENCE = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def start(jar, port):
    options = [f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}", "-jar", str(jar)]
    return await asyncio.create_subprocess_exec(
        "java", *options, "-inMemory", "-sharedDb", "-port", str(port),
        cwd=jar.parent, env={**os.environ, "DDB_LOCAL_TELEMETRY": "0"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )


async def answers(dynamodb, endpoint):
    """Waits until it answers."""
    patience = time.monotonic() + PATIENCE
    while dynamodb.returncode is None and time.monotonic() < patience:
        try:
            return await asyncio.to_thread(template.client("dynamodb", endpoint).list_tables)
        except EndpointConnectionError:
            await asyncio.sleep(0.1)
    sys.exit(f"DynamoDB Local does not answer (its exit code: {dynamodb.returncode})")


async def main():
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    dynamodb = await start(pathlib.Path(settings()["jar"]), port)
    try:
        await answers(dynamodb, endpoint)
        resources = template.read((pathlib.Path(__file__).parents[2] / "template.yaml").read_text())["Resources"]
        template.create_table(endpoint, "Table", resources["Table"]["Properties"])
        report("listening", port)
        await obey({})
    finally:
        if dynamodb.returncode is None:
            dynamodb.kill()


asyncio.run(main())
