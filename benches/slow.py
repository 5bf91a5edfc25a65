"""A way with a delay and a rate between a client and the server: what a phone far away has. Every
connection pays one round trip to open; each direction is delayed by half of it and held to the rate.

usage: slow.py LISTEN_PORT TARGET_PORT ROUND_TRIP_MS KBIT_PER_SECOND
"""
import asyncio
import sys

listen, target, round_trip, rate = (int(word) for word in sys.argv[1:5])
half, bytes_per_second = round_trip / 2000, rate * 125


class Rate:
    """One direction of the line, shared by all connections."""

    def __init__(self):
        self.free_at = 0.0

    def when(self, size):
        now = asyncio.get_running_loop().time()
        self.free_at = max(self.free_at, now) + size / bytes_per_second
        return self.free_at + half


async def carry(reader, writer, line):
    queue = asyncio.Queue(maxsize=64)

    async def deliver():
        is_open = True
        while (item := await queue.get()) is not None:
            at, piece = item
            await asyncio.sleep(max(0, at - asyncio.get_running_loop().time()))
            try:
                if is_open:
                    writer.write(piece)
                    await writer.drain()
            except ConnectionError:
                is_open = False  # What still comes has nowhere to go.
        writer.close()

    delivery = asyncio.create_task(deliver())
    try:
        while piece := await reader.read(1460):
            await queue.put((line.when(len(piece)), piece))
    except ConnectionError:
        pass
    await queue.put(None)
    await delivery


async def serve(up, down, reader, writer):
    await asyncio.sleep(2 * half)
    try:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
    except ConnectionError:
        writer.close()
        return
    await asyncio.gather(carry(reader, far_writer, up), carry(far_reader, writer, down))


async def main():
    up, down = Rate(), Rate()
    server = await asyncio.start_server(lambda reader, writer: serve(up, down, reader, writer), "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


asyncio.run(main())
