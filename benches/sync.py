#!/usr/bin/env python3
"""What `tunelocker sync` takes for an inventory: a folder whose files are all in the locker already.

    benches/sync.py [--programs target/release] [--files 5000] [--size 20000] [--rounds 3]

Three runs are told: the first brings everything; the second starts without a memory of its own, so it
reads and hashes every file and asks about each; the third remembers. CPU seconds are those of the
client alone; `up_bytes` is all that it sent, requests included, counted on a
wire between.
"""
import argparse, json, os, resource, shutil, socket, subprocess, sys, tempfile, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Wire:
    """Carries bytes to the server and counts those that go up."""

    def __init__(self, server):
        self.server, self.up = server, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.server)
            threading.Thread(target=self.carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, False), daemon=True).start()

    def carry(self, source, target, counted):
        try:
            while piece := source.recv(1 << 16):
                if counted:
                    self.up += len(piece)
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def take(self):
        up, self.up = self.up, 0
        return up


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    parser.add_argument("--programs", default=os.path.join(target, "release"))
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--size", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    program = os.path.join(options.programs, "tunelocker")
    with tempfile.TemporaryDirectory(prefix="tunelocker-bench-") as home:
        music = os.path.join(home, "music")
        for number in range(options.files):
            folder = os.path.join(music, "Artist %d" % (number % 97), "Album %d" % (number % 389))
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "%05d.flac" % number), "wb") as file:
                file.write(os.urandom(options.size))
        environment = {"PATH": os.environ["PATH"], "TUNELOCKER_DATA": os.path.join(home, "data"),
                       "TUNELOCKER_ADMIN_USER": "bench", "TUNELOCKER_ADMIN_PASSWORD": "bench bench bench",
                       "TUNELOCKER_ANALYSIS_ENABLED": "false", "TUNELOCKER_LOG_LEVEL": "warn"}
        server = subprocess.Popen([program, "serve", "--no-lan", "--listen", "127.0.0.1:0"], env=environment,
                                  stdout=subprocess.PIPE, text=True)
        try:
            ready = server.stdout.readline().split("http=http://")[1].split()[0]
            host, port = ready.rsplit(":", 1)
            wire = Wire((host, int(port)))
            secret = subprocess.run([program, "user", "app-password", "bench", "--label", "bench"], env=environment,
                                    check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            client = {"PATH": os.environ["PATH"], "HOME": home, "TUNELOCKER_SECRET": secret}

            def run(name):
                wire.take()
                before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
                said = subprocess.run([program, "sync", music, "--to", "http://127.0.0.1:%d" % wire.port, "--as", "bench",
                                       "--json"], env=client, check=True, stdout=subprocess.PIPE, text=True).stdout
                wall = time.time() - clock
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                said = json.loads(said)
                return {"bench": name, "files": said["files"], "sent": said["sent"]["files"], "had": said["had"]["files"],
                        "cpu_s": round(cpu, 3), "wall_s": round(wall, 2), "up_bytes": wire.take()}

            print(json.dumps(run("first sync")))
            for name, forget in (("inventory, nothing remembered", True), ("inventory", False)):
                best = None
                for _ in range(options.rounds):
                    if forget:
                        shutil.rmtree(os.path.join(home, ".local/state"), ignore_errors=True)
                    figures = run(name)
                    if best is None or figures["cpu_s"] < best["cpu_s"]:
                        best = figures
                print(json.dumps(best))
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    sys.exit(main())
