"""Plays the Modbus devices of one 485 line: a genuine pymodbus server, RTU frames over TCP.

Settings: {"devices": {"<pid>": {"address": 0, "values": [253, 600]}}}: each device's first holding register and values.
Orders:   set {pid, address, values} · get {pid, address, count} · silence {pid} · unsilence {pid}
Reports:  listening <port>, once; registers [...] for each get; done "<order>" for each other order, when it holds.
"""

import asyncio

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from control import obey, report, settings

READ_HOLDING_REGISTERS = 3
WRITE_MULTIPLE_REGISTERS = 16


def device(pid, registers):
    block = SimData(registers["address"], values=registers["values"], datatype=DataType.REGISTERS)
    return SimDevice(id=pid, simdata=[block])


async def main():
    devices = {int(pid): registers for pid, registers in settings()["devices"].items()}
    silent = set()

    def answer(sending, packet):
        """A device that is dead, or not on this line, says nothing: the line has nobody else to answer for it."""
        if sending and (packet[0] in silent or packet[0] not in devices):
            return b""
        return packet

    server = ModbusTcpServer(
        [device(pid, registers) for pid, registers in devices.items()],
        framer=FramerType.RTU,
        address=("127.0.0.1", 0),
        trace_packet=answer,
    )
    await server.serve_forever(background=True)
    report("listening", server.transport.sockets[0].getsockname()[1])

    async def set_registers(pid, address, values):
        await server.async_setValues(pid, WRITE_MULTIPLE_REGISTERS, address, values)
        report("done", "set")

    async def get(pid, address, count):
        report("registers", await server.async_getValues(pid, READ_HOLDING_REGISTERS, address, count))

    async def silence(pid):
        silent.add(pid)
        report("done", "silence")

    async def unsilence(pid):
        silent.discard(pid)
        report("done", "unsilence")

    await obey({"set": set_registers, "get": get, "silence": silence, "unsilence": unsilence})


asyncio.run(main())
