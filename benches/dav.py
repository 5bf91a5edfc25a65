"""What a WebDAV folder of 10,000 entries costs the server: CPU ms a PROPFIND."""
import argparse
import base64
import http.client
import os
import shutil
import time

from process import own_cpu
from server import Server

WISHES = {
    "what a file manager asks": "<propfind xmlns='DAV:'><prop><resourcetype/><getcontentlength/><getlastmodified/>"
                                "<getetag/><getcontenttype/></prop></propfind>",
    "allprop": "",
}


def propfind(server, path, body):
    connection = http.client.HTTPConnection(server.http)
    login = base64.b64encode(f"bench:{server.secret}".encode()).decode()

    def ask():
        connection.request("PROPFIND", path, body, {"Depth": "1", "Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 207:
            raise SystemExit(f"PROPFIND {path}: {answer.status}")
        return text

    return ask


def idle(server):
    """Waits until what a start brings along is done."""
    before = own_cpu(server.pid)
    while True:
        time.sleep(2)
        now = own_cpu(server.pid)
        if now - before < 0.05:
            return
        before = now


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--entries", type=int, default=10_000)
    options = parser.parse_args()
    data = os.path.join(options.home, "dav")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    Server(options.programs, data, {}).stop()
    folder = os.path.join(data, "lockers", "bench", "many")
    os.makedirs(folder)
    for number in range(options.entries):
        with open(os.path.join(folder, f"Some file of a usual name {number:05}.txt"), "w") as file:
            file.write(str(number))
    server = Server(options.programs, data, {})
    try:
        server.sign_in()
        idle(server)
        for name, body in WISHES.items():
            ask = propfind(server, "/dav/bench/many/", body)
            told = ask().count(b"<D:response>")
            if told != options.entries + 1:
                raise SystemExit(f"{told} entries were told")
            times, before, begin = 0, own_cpu(server.pid), time.monotonic()
            while own_cpu(server.pid) - before < 1.5 or times < 5:
                ask()
                times += 1
            used = (own_cpu(server.pid) - before) / times * 1000
            took = (time.monotonic() - begin) / times * 1000
            print(f"PROPFIND of {options.entries} entries, {name}: CPU ms {used:.0f} ({took:.0f} ms of wall clock)",
                  flush=True)
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


main()
