"""Press to sound in the panel: by the loopback, and by a way of 1 Mbit/s with 100 ms of delay."""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import time

from server import Server


def measure(name, base, turns, goal):
    done = subprocess.run(["node", "benches/press.mjs", base, "bench", "bench bench bench", str(turns)],
                          stdout=subprocess.PIPE, text=True, check=True)
    print(f"press to sound, {name}, ms: {done.stdout.strip()}   goal p95 {goal}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("programs", "corpus", "home"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    data = os.path.join(options.home, "press-data")
    shutil.rmtree(data, ignore_errors=True)
    server = Server(options.programs, data, {"Bench": os.path.abspath(options.corpus)})
    port = int(server.http.rsplit(":", 1)[1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        slow_port = free.getsockname()[1]
    slow = subprocess.Popen([sys.executable, "benches/slow.py", str(slow_port), str(port), "100", "1000"])
    try:
        time.sleep(3)  # Libraries are listed a moment after the server is ready.
        server.scan()
        measure("LAN", f"http://127.0.0.1:{port}", 40, 300)
        measure("1 Mbit/s with 100 ms", f"http://127.0.0.1:{slow_port}", 40, 1000)
    finally:
        slow.terminate()
        server.stop()


main()
