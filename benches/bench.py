"""The table of what the server costs, beside the best of other servers and the goal."""
import argparse
import html
import http.client
import os
import shutil
import socket
import time

from process import Peak, cpu, own_cpu, pss
from server import Server

ROWS = []


def row(work, value, peer, goal):
    ROWS.append((work, value, peer, goal))
    print(f"{work:<52} {value:>10}   best peer {peer:<10} goal {goal}", flush=True)


def per_request(server, address, requests, seconds=1.5):
    """CPU ms a request: repeats until the server has worked for some time."""
    connection = http.client.HTTPConnection(address)

    def ask(path, body=None, headers=None):
        connection.request("POST" if body else "GET", path, body, headers or {})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")

    for request in requests[:50]:
        ask(*request)
    before, count, begin = own_cpu(server.pid), 0, time.monotonic()
    while own_cpu(server.pid) - before < seconds and time.monotonic() - begin < 30:
        for _ in range(max(1, 200 // len(requests))):
            for request in requests:
                ask(*request)
                count += 1
    used = own_cpu(server.pid) - before
    connection.close()
    return f"{used / count * 1000:.3f}"


def subsonic(server, albums):
    lists = [("getAlbumList2 of 50", "0.09 to 30", "0.2", dict(type="alphabeticalByName", size=50)),
             ("getAlbumList2 of 500", "274", "1.5", dict(type="alphabeticalByName", size=500))]
    row("ping, CPU ms", per_request(server, server.http, [(server.path("ping"),)]), "0.22", "0.03")
    paths = [(server.path("getAlbum", id=album["id"]),) for album in albums[:200]]
    row("getAlbum, CPU ms", per_request(server, server.http, paths), "5.2", "0.05")
    for name, peer, goal, parameters in lists:
        path = server.path("getAlbumList2", **parameters)
        row(f"{name}, CPU ms", per_request(server, server.http, [(path,)]), peer, goal)
    deep = server.path("getAlbumList2", type="alphabeticalByName", size=50, offset=max(0, len(albums) - 60))
    row("getAlbumList2 of 50, deepest page, CPU ms", per_request(server, server.http, [(deep,)]), "", "3 x first")
    words = {word for album in albums for word in album["name"].split() if len(word) > 3}
    paths = [(server.path("search3", query=word[:4]),) for word in sorted(words)[:100]]
    row("search3, CPU ms", per_request(server, server.http, paths), "13", "0.5")


def covers(server, albums):
    with_cover = [album for album in albums if album.get("coverArt")][:60]
    paths = [(server.path("getCoverArt", id=album["coverArt"], size=300),) for album in with_cover]
    if not paths:
        return
    before = cpu(server.pid)
    connection = http.client.HTTPConnection(server.http)
    for (path,) in paths:
        connection.request("GET", path)
        connection.getresponse().read()
    row("cover 300 px, first time, CPU ms", f"{(cpu(server.pid) - before) / len(paths) * 1000:.2f}", "9.5", "8")
    row("cover 300 px, cached, CPU ms", per_request(server, server.http, paths), "0.22", "0.03")


def browse(server):
    def request(action, arguments):
        body = ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
                's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
                f'<u:{action} xmlns:u="urn:schemas-upnp-org:service:ContentDirectory:1">{arguments}</u:{action}>'
                '</s:Body></s:Envelope>')
        headers = {"Content-Type": 'text/xml; charset="utf-8"',
                   "SOAPACTION": f'"urn:schemas-upnp-org:service:ContentDirectory:1#{action}"'}
        return "/control/content-directory", body, headers

    def children(container, count):
        return request("Browse", f"<ObjectID>{container}</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag>"
                       f"<Filter>*</Filter><StartingIndex>0</StartingIndex><RequestedCount>{count}</RequestedCount>"
                       "<SortCriteria></SortCriteria>")

    def ids(container, count=500):
        """Ids of the containers below, by name."""
        connection = http.client.HTTPConnection(server.lan)
        path, body, headers = children(container, count)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"Browse of {container}: {answer.status} {text[:300]}")
        didl = html.unescape(text.split("<Result>", 1)[1].split("</Result>", 1)[0])
        found = [(part.split('"', 1)[0], part.split("<dc:title>", 1)[1].split("</dc:title>", 1)[0])
                 for part in didl.split('<container id="')[1:]]
        return {html.unescape(name): identity for identity, name in found}

    # All albums come by their initials where there are many.
    initials = ids(ids("0")["Albums"])
    albums = {}
    for identity in initials.values():
        albums.update(ids(identity))
    artists = next(identity for name, identity in ids("0").items() if "lbum artists" in name)
    lists = [children(identity, 100) for identity in initials.values() if len(ids(identity)) >= 100]
    row("Browse of 100 albums, CPU ms", per_request(server, server.lan, lists), "1.0", "0.5")
    row("Browse of 100 artists, CPU ms", per_request(server, server.lan, [children(artists, 100)]), "1.0", "0.5")
    one = [children(identity, 0) for identity in list(albums.values())[:50]]
    row("Browse of one album, CPU ms", per_request(server, server.lan, one), "0.17", "0.1")
    criteria = "upnp:class derivedfrom &quot;object.item.audioItem&quot; and dc:title contains &quot;an&quot;"
    search = request("Search", f"<ContainerID>0</ContainerID><SearchCriteria>{criteria}</SearchCriteria>"
                     "<Filter>*</Filter><StartingIndex>0</StartingIndex><RequestedCount>50</RequestedCount>"
                     "<SortCriteria></SortCriteria>")
    row("Search, CPU ms", per_request(server, server.lan, [search]), "41", "1")


def originals(server, song):
    connection = http.client.HTTPConnection(server.http)
    path, size, before = server.path("stream", id=song["id"]), 0, own_cpu(server.pid)
    buffer = bytearray(1 << 20)
    while size < 2_000_000_000:
        connection.request("GET", path)
        answer = connection.getresponse()
        while read := answer.readinto(buffer):
            size += read
    used = own_cpu(server.pid) - before
    row("originals, CPU s a GB", f"{used / size * 1e9:.3f}", "0.29", "0.28")


def transcodes(server, song):
    def first_byte(path):
        host, port = server.http.split(":")
        with socket.create_connection((host, int(port))) as connection:
            begin = time.monotonic()
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.http}\r\n\r\n".encode())
            text = b""
            while b"\r\n\r\n" not in text or len(text.split(b"\r\n\r\n", 1)[1]) == 0:
                text += connection.recv(65536)
            return (time.monotonic() - begin) * 1000

    def path(form, offset):
        # Another offset each time: what was transcoded once would come from the cache.
        return server.path("stream", id=song["id"], format=form, maxBitRate=128, timeOffset=offset)

    def spared(form, offset):
        # A spare is started a moment after the one before it was taken.
        time.sleep(1.5)
        return first_byte(path(form, offset))

    cold = first_byte(path("opus", 1))
    warm = sorted(spared("opus", offset) for offset in range(2, 13))
    # Without a pause there is no spare yet: a new process each time.
    hasty = sorted(first_byte(path("opus", offset)) for offset in range(20, 27))
    row("transcode first byte, cold worker, ms", f"{cold:.0f}", "", "80")
    row("transcode first byte, warm worker, ms (median)", f"{warm[len(warm) // 2]:.0f}", "89", "20")
    row("transcode first byte, one upon another, ms (median)", f"{hasty[len(hasty) // 2]:.0f}", "89", "80")
    time.sleep(8)  # Streams that were left are noticed within five seconds.
    for form, peer, goal in [("mp3", "0.95", "0.87"), ("opus", "0.53", "0.52")]:
        connection, before = http.client.HTTPConnection(server.http), cpu(server.pid)
        connection.request("GET", server.path("stream", id=song["id"], format=form, maxBitRate=128))
        connection.getresponse().read()
        time.sleep(1)
        used = (cpu(server.pid) - before) / (song["duration"] / 60)
        row(f"transcode, CPU s a minute: {form}", f"{used:.2f}", peer, goal)


def main():
    parser = argparse.ArgumentParser()
    for name in ("programs", "corpus", "long", "home"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    data = os.path.join(options.home, "data")
    shutil.rmtree(data, ignore_errors=True)
    libraries = {"Bench": os.path.abspath(options.corpus), "Long": os.path.abspath(options.long)}

    begin = time.monotonic()
    server = Server(options.programs, data, libraries)
    try:
        with Peak(server.pid) as peak:
            scanned = server.scan()
        row(f"first scan of {scanned['files']} files, CPU s", f"{cpu(server.pid):.2f}", "1.85", "1.5")
        print(f"  ({time.monotonic() - begin:.1f} s of wall clock, {scanned['errors']} unreadable)")
        row("peak of a scan, PSS MB", f"{peak.value:.0f}", "48 RSS", "64")
        before = cpu(server.pid)
        server.scan()
        row("nothing-changed rescan, CPU s", f"{cpu(server.pid) - before:.2f}", "0.11", "0.1")
        time.sleep(60)
        row("at rest after the scan, PSS MB", f"{pss(server.pid):.1f}", "16", "14")
        server.stop()

        server = Server(options.programs, data, libraries)
        server.scan()
        time.sleep(60)
        row("at rest after a start, PSS MB", f"{pss(server.pid):.1f}", "16", "14")
        server.sign_in()
        albums, page = [], True
        while page:
            answer = server.ask("getAlbumList2", type="alphabeticalByName", size=500, offset=len(albums))
            page = answer["albumList2"].get("album", [])
            albums += page
        songs = {song["title"]: song for song in
                 server.ask("search3", query="Long", songCount=20)["searchResult3"].get("song", [])}
        subsonic(server, albums)
        covers(server, albums)
        browse(server)
        originals(server, songs["LongWav"])
        transcodes(server, songs["LongFlac"])
    finally:
        server.stop()


main()
