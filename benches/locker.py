"""How fast files come into a locker, beside `dd conv=fsync` writing the same file to the same disk, and
whether the daemon's memory stays flat while a very large one does."""
import argparse
import base64
import os
import shutil
import subprocess
import threading
import time

from process import pss
from server import Server

GOAL = 0.6
# Bytes that reach the disk for each that was sent.
AMPLIFIED = 1.05


def timed(command):
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


def written(pid):
    """Bytes that a process caused to be written to disks so far."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("write_bytes:")).split()[1])


def put(server, source, name):
    return ["curl", "-sSf", "-H", f"Authorization: Bearer {server.secret}", "-H", "Expect:",
            "-T", source, f"http://{server.http}/api/v1/files/{name}"]


def tus_begin(server, length, name):
    """Makes an upload; its address."""
    path = base64.b64encode(name.encode()).decode()
    said = subprocess.run(
        ["curl", "-sSf", "-D", "-", "-o", os.devnull, "-X", "POST", "-H", f"Authorization: Bearer {server.secret}",
         "-H", "Tus-Resumable: 1.0.0", "-H", f"Upload-Length: {length}", "-H", f"Upload-Metadata: path {path}",
         f"http://{server.http}/api/v1/uploads"],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    headers = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    return next(value for name, value in headers.items() if name.lower() == "location")


def tus(server, source, address):
    path = address[address.index("/api/"):]
    return ["curl", "-sSf", "-X", "PATCH", "-H", f"Authorization: Bearer {server.secret}", "-H", "Expect:",
            "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0",
            "-H", "Content-Type: application/offset+octet-stream", "-T", source, f"http://{server.http}{path}"]


def stored(server, data, name, length):
    """The file is there whole; it goes, so that no disk fills up."""
    path = os.path.join(data, "lockers", "bench", name)
    if os.path.getsize(path) != length:
        raise SystemExit(f"{name} is not whole")
    subprocess.run(["curl", "-sSf", "-o", os.devnull, "-X", "DELETE", "-H", f"Authorization: Bearer {server.secret}",
                    f"http://{server.http}/api/v1/files/{name}?forever=true"], check=True)


def throughput(server, data, home, length, rounds):
    source = os.path.join(home, "source.bin")
    with open(source, "wb") as file:
        for _ in range(length // (1 << 20)):
            file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    length = os.path.getsize(source)
    target = os.path.join(data, "dd.bin")
    took, amplified = {"dd conv=fsync": [], "PUT": [], "tus": []}, []
    # In turns: whatever else the machine does meets all of them alike.
    for number in range(rounds):
        took["dd conv=fsync"].append(timed(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fsync"]))
        os.remove(target)
        before = written(server.pid)
        took["PUT"].append(timed(put(server, source, f"put{number}.bin")))
        amplified.append((written(server.pid) - before) / length)
        stored(server, data, f"put{number}.bin", length)
        address = tus_begin(server, length, f"tus{number}.bin")
        took["tus"].append(timed(tus(server, source, address)))
        stored(server, data, f"tus{number}.bin", length)
    os.remove(source)
    dd = sorted(took["dd conv=fsync"])[rounds // 2]
    for name, times in took.items():
        median = sorted(times)[rounds // 2]
        print(f"{name:<14} of {length / 1e6:.0f} MB: {length / 1e6 / median:.0f} MB/s (median of {rounds}, best "
              f"{length / 1e6 / min(times):.0f}); {dd / median:.2f} of dd, goal {GOAL}", flush=True)
    print(f"bytes written to the disk for each byte of a PUT: {max(amplified):.3f} at most, goal {AMPLIFIED}",
          flush=True)


def memory(server, data, home, length):
    source = os.path.join(home, "large.bin")
    with open(source, "wb") as file:
        file.truncate(length)
    before, series, done = pss(server.pid), [], threading.Event()

    def watch():
        while not done.wait(1):
            series.append(pss(server.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.monotonic()
    subprocess.run(put(server, source, "large.bin"), check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begin
    done.set()
    watcher.join()
    os.remove(source)
    stored(server, data, "large.bin", length)
    tenth = max(1, len(series) // 10)
    parts = [max(series[at:at + tenth]) for at in range(0, len(series), tenth)]
    print(f"a file of {length / 1e9:.0f} GB in {took:.0f} s, PSS MB: {before:.1f} before; highest of each tenth: "
          + " ".join(f"{part:.1f}" for part in parts), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--size", type=int, default=1_000_000_000, help="bytes of the file that is timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=10_000_000_000, help="bytes of the very large one; 0 is none")
    options = parser.parse_args()
    data = os.path.join(options.home, "locker")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    server = Server(options.programs, data, {})
    try:
        server.sign_in()
        throughput(server, data, options.home, options.size, options.rounds)
        if options.large:
            memory(server, data, options.home, options.large)
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


main()
