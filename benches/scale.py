"""What lists cost at 100,000 and 1,000,000 tracks: CPU of the server by page, from first to last.

The catalogue is rows alone (`tunelocker rows`), through the write side that a scan uses. What has a
goal is judged: within it, or over; the last line says how many are. `--parts` chooses:

    artists  getArtists, and what the first request after a start costs
    albums   getAlbumList2 in every order, getAlbum
    songs    getRandomSongs, getSongsByGenre, getStarred2
    marks    the first page after a star or a listen
    search   a client that takes everything by search3
    folders  getIndexes, getMusicDirectory
    words    search3 for words
    browse   DLNA's Browse
    twins    the same with a twentieth of all albums in a second library, too
    rest     memory afterwards
"""
import argparse
import http.client
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

from process import own_cpu, pss
from server import Server


MISSING = "/nonexistent/rows"
# Rows have no files, so there is nothing to hear; looking for it would be measured along.
QUIET = {"TUNELOCKER_ANALYSIS_ENABLED": "false"}


class Ask:
    """One connection that stays open."""

    def __init__(self, server):
        self.server, self.connection = server, http.client.HTTPConnection(server.http)

    def raw(self, method, **parameters):
        """The body; a query may stand behind the method already."""
        method, _, query = method.partition("?")
        self.connection.request("GET", self.server.path(method, **parameters) + "&" + query)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method}: {answer.status}")
        return body

    def json(self, method, **parameters):
        answer = json.loads(self.raw(method, **parameters))["subsonic-response"]
        if answer["status"] != "ok":
            raise SystemExit(f"{method}: {answer}")
        return answer


OVER = []


def row(work, value, goal=None, figures=()):
    """One line of the table; `figures` are what the goal is compared with."""
    verdict = ""
    if goal is not None:
        is_within = max(figures or [float(value)]) <= goal
        verdict = "ok" if is_within else "OVER"
        if not is_within:
            OVER.append(work)
    print(f"{work:<66} {value:>22}   {'' if goal is None else f'goal {goal:g}':<9} {verdict}", flush=True)


def settle(server):
    """Waits until nothing is done in the background, so that it is not measured along."""
    while True:
        before = own_cpu(server.pid)
        time.sleep(1)
        if own_cpu(server.pid) - before < 0.05:
            return


def pages(server, ask, name, size, total, goal, **parameters):
    """CPU ms a page over the first, middle and last pages of a walk from first to last."""
    key, limit = {"search3": ("songOffset", "songCount"), "getSongsByGenre": ("offset", "count")}.get(
        name, ("offset", "size"))
    count = max(1, total // size)
    # Enough of them that one that waits for something else says little.
    sample = min(40 if size < 100 else 15, max(1, count // 3))
    parts = {"first": range(sample), "middle": range(count // 2, count // 2 + sample),
             "last": range(count - sample, count)}
    figures, jumps = [], []
    for numbers in parts.values():
        # A client comes here page by page. Where this one jumps, the way is looked for once.
        before = own_cpu(server.pid)
        ask.raw(name, **parameters, **{key: max(0, numbers[0] - 1) * size, limit: size})
        jumps.append((own_cpu(server.pid) - before) * 1000)
        before = own_cpu(server.pid)
        for number in numbers:
            ask.raw(name, **parameters, **{key: number * size, limit: size})
        figures.append((own_cpu(server.pid) - before) / len(numbers) * 1000)
    text = " / ".join(f"{figure:.2f}" for figure in figures)
    what = f"{name} {parameters.get('type', '')}".strip()
    row(f"{what}, pages of {size}: first / middle / last, CPU ms", text, goal, figures)
    print(f"  (the one before, to which it jumps: {' / '.join(f'{jump:.1f}' for jump in jumps)})", flush=True)


def one(server, ask, what, goal, name, times=1, **parameters):
    """CPU ms of one request."""
    before = own_cpu(server.pid)
    for _ in range(times):
        ask.raw(name, **parameters)
    row(f"{what}, CPU ms", f"{(own_cpu(server.pid) - before) / times * 1000:.2f}", goal)


def walk(server, ask, total):
    """A whole client by search3 in pages of 500, each once."""
    before, begin, seen, memory = own_cpu(server.pid), time.monotonic(), set(), pss(server.pid)
    offset, costs = 0, []
    while True:
        at = own_cpu(server.pid)
        found = ask.json("search3", query="", songCount=500, songOffset=offset, artistCount=0, albumCount=0)
        songs = found["searchResult3"].get("song", [])
        costs.append((own_cpu(server.pid) - at) * 1000)
        if not songs:
            break
        seen.update(song["id"] for song in songs)
        offset += len(songs)
    if len(seen) != total:
        raise SystemExit(f"{len(seen)} tracks of {total} were seen")
    tenth = max(1, len(costs) // 10)
    first, last = statistics.mean(costs[:tenth]), statistics.mean(costs[-tenth - 1:-1])
    row("sync by search3 in pages of 500: first / last tenth, CPU ms a page", f"{first:.2f} / {last:.2f}", 15, [first, last])
    row("  whole, CPU s", f"{own_cpu(server.pid) - before:.1f}")
    print(f"  ({time.monotonic() - begin:.0f} s of wall clock, PSS {memory:.0f} to {pss(server.pid):.0f} MB)")


def seed(ask, albums_total):
    """Stars, ratings and listens on every so-manieth album, so that the lists of them are long; once."""
    if ask.json("getAlbumList2", type="starred", size=1)["albumList2"]["album"]:
        return
    every, page, marked = max(1, albums_total // 3000), 500, []
    for offset in range(0, albums_total, page):
        found = ask.json("getAlbumList2", type="newest", size=page, offset=offset)["albumList2"]["album"]
        marked += [album["id"] for number, album in enumerate(found, offset) if number % every == 0]
    for start in range(0, len(marked), 200):
        ask.raw("star?" + "&".join(f"albumId={album}" for album in marked[start:start + 200]))
    for number, album in enumerate(marked[::2]):
        ask.raw("setRating", id=album, rating=number % 5 + 1)
        song = ask.json("getAlbum", id=album)["album"]["song"][0]["id"]
        ask.raw("scrobble", id=song, time=1_700_000_000_000 + number * 400_000)


def albums(server, ask, albums_total):
    seed(ask, albums_total)
    years = {"fromYear": 1950, "toYear": 2030}
    genre = ask.json("getGenres")["genres"]["genre"][0]
    lists = [("alphabeticalByName", albums_total, {}), ("alphabeticalByArtist", albums_total, {}),
             ("newest", albums_total, {}), ("byYear", albums_total, years),
             ("byYear", albums_total, {"fromYear": 2030, "toYear": 1950}),
             ("byGenre", genre["albumCount"], {"genre": genre["value"]}), ("random", albums_total, {}),
             ("starred", 3000, {}), ("highest", 1500, {}), ("frequent", 1500, {}), ("recent", 1500, {})]
    for name, total, more in lists:
        for size, goal in ((500, 15), (20, 2)):
            pages(server, ask, "getAlbumList2", size, total, goal, type=name, **more)
    pages(server, ask, "getAlbumList", 500, albums_total, 15, type="alphabeticalByName")
    offsets = [random.randrange(albums_total) for _ in range(20)]
    found = [album["id"] for offset in offsets for album in
             ask.json("getAlbumList2", type="alphabeticalByArtist", size=20, offset=offset)["albumList2"]["album"]]
    before = own_cpu(server.pid)
    for album in found:
        ask.raw("getAlbum", id=album)
    row("getAlbum of any, first look, CPU ms", f"{(own_cpu(server.pid) - before) / len(found) * 1000:.2f}", 2)


def folders(server, ask):
    before, begin = own_cpu(server.pid), time.monotonic()
    indexes = ask.json("getIndexes")["indexes"]["index"]
    top = [artist["id"] for index in indexes for artist in index["artist"]]
    row(f"getIndexes of {len(top)} folders, CPU ms", f"{(own_cpu(server.pid) - before) * 1000:.0f}", 300)
    print(f"  ({time.monotonic() - begin:.2f} s with reading it)")
    for name, part in [("first", top[:100]), ("last", top[-100:])]:
        before, count = own_cpu(server.pid), 0
        for folder in part:
            children = ask.json("getMusicDirectory", id=folder)["directory"].get("child", [])
            count += 1
            for child in children[:1]:
                ask.raw("getMusicDirectory", id=child["id"])
                count += 1
        row(f"getMusicDirectory, {name} hundred, CPU ms", f"{(own_cpu(server.pid) - before) / count * 1000:.2f}", 2)


def artists(server, ask, album_total):
    one(server, ask, "the first page after a start", None, "getAlbumList2", type="newest", size=20)
    one(server, ask, "the first deep page after a start", None, "getAlbumList2", type="alphabeticalByName",
        size=20, offset=album_total - 100)
    memory = pss(server.pid)
    for name in ("first time", "again"):
        before, begin = own_cpu(server.pid), time.monotonic()
        body = ask.raw("getArtists")
        used, took = (own_cpu(server.pid) - before) * 1000, time.monotonic() - begin
        count = body.count(b'"albumCount"')
        row(f"getArtists of {count} ({len(body) / 1e6:.1f} MB), {name}, CPU ms", f"{used:.0f}", 300)
        print(f"  ({took:.2f} s of wall clock, PSS {memory:.0f} to {pss(server.pid):.0f} MB)")


def songs(server, ask):
    genre = ask.json("getGenres")["genres"]["genre"][0]
    for size, goal in ((500, 15), (20, 2)):
        one(server, ask, f"getRandomSongs of {size}", goal, "getRandomSongs", 20, size=size)
        pages(server, ask, "getSongsByGenre", size, genre["songCount"], goal, genre=genre["value"])
    one(server, ask, "getRandomSongs of 500 of a genre", None, "getRandomSongs", 5, size=500, genre=genre["value"])
    starred = len(ask.json("getStarred2")["starred2"]["album"])
    one(server, ask, f"getStarred2 with {starred} albums", 15 * max(1, starred / 500), "getStarred2", 5)


def marks(server, ask):
    """Each mark, and the page that a client shows after it."""
    albums = ask.json("getAlbumList2", type="alphabeticalByArtist", size=11)["albumList2"]["album"]
    tracks = [ask.json("getAlbum", id=album["id"])["album"]["song"][0]["id"] for album in albums]
    for name in ("starred", "frequent", "recent", "newest"):
        for size, goal in ((20, 2), (500, 15)):
            costs = []
            for album, track in zip(albums, tracks):
                if name == "starred":
                    ask.raw("star", albumId=album["id"])
                else:
                    ask.raw("scrobble", id=track, time=int(time.time() * 1000) - random.randrange(10**10))
                before = own_cpu(server.pid)
                ask.raw("getAlbumList2", type=name, size=size)
                costs.append((own_cpu(server.pid) - before) * 1000)
            # The first one is not known yet.
            row(f"getAlbumList2 {name} of {size} right after a mark, CPU ms", f"{statistics.mean(costs[1:]):.2f}", goal)


def twins(options):
    """A twentieth of all albums is in a second library, too."""
    plain, data = (os.path.join(options.home, f"rows-{options.tracks}{name}") for name in ("", "-twins"))
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    for name in os.listdir(plain):
        if os.path.isfile(os.path.join(plain, name)) and name != "lock":
            shutil.copy2(os.path.join(plain, name), data)
    shutil.copytree(os.path.join(plain, "keys"), os.path.join(data, "keys"))
    program = os.path.join(options.programs, "tunelocker")
    subprocess.run([program, "rows", str(options.tracks // 20), MISSING + "-copies", "--data", data], check=True)
    server = Server(options.programs, data, {"Rows": MISSING, "Copies": MISSING + "-copies"}, QUIET)
    try:
        server.sign_in()
        ask, total = Ask(server), options.tracks // 10
        one(server, ask, "the first page, with copies", None, "getAlbumList2", type="newest", size=20)
        for name in ("alphabeticalByName", "newest", "random"):
            for size, goal in ((500, 15), (20, 2)):
                pages(server, ask, "getAlbumList2", size, total, goal, type=name)
        count, seen = 0, set()
        while page := ask.json("getAlbumList2", type="alphabeticalByArtist", size=500,
                               offset=count)["albumList2"]["album"]:
            count += len(page)
            seen.update(album["id"] for album in page)
        # Two of the made-up names may be one.
        with sqlite3.connect(os.path.join(plain, "tunelocker.db")) as database:
            (total,) = database.execute("select count(*) from album").fetchone()
        if (count, len(seen)) != (total, total):
            raise SystemExit(f"{count} albums, {len(seen)} of them once, of {total}")
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


def rest(server):
    row("memory after all of it, PSS MB", f"{pss(server.pid):.0f}")
    time.sleep(100)
    row("memory at rest, PSS MB", f"{pss(server.pid):.0f}")


def searches(server, ask):
    words = ["al", "mar", "tor", "silv", "zanton", "bewood cor", "quirin", "fen hol"]
    before = own_cpu(server.pid)
    for word in words:
        ask.raw("search3", query=word)
    row("search3 for words, first look, CPU ms", f"{(own_cpu(server.pid) - before) / len(words) * 1000:.2f}")


def browse(server):
    connection = http.client.HTTPConnection(server.lan)

    def children(container, start, count):
        body = ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
                '<u:Browse xmlns:u="urn:schemas-upnp-org:service:ContentDirectory:1">'
                f"<ObjectID>{container}</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag><Filter>*</Filter>"
                f"<StartingIndex>{start}</StartingIndex><RequestedCount>{count}</RequestedCount><SortCriteria/>"
                "</u:Browse></s:Body></s:Envelope>")
        headers = {"Content-Type": 'text/xml; charset="utf-8"',
                   "SOAPACTION": '"urn:schemas-upnp-org:service:ContentDirectory:1#Browse"'}
        connection.request("POST", "/control/content-directory", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"Browse {container}: {answer.status} {text[:300]}")
        return text

    def number(text, name):
        return int(text.split(f"<{name}>")[1].split("<")[0])

    root = children("0", 0, 100)
    ids = [part.split("&quot;")[0] for part in root.split("container id=&quot;")[1:]]
    for container in ids:
        total = number(children(container, 0, 1), "TotalMatches")
        if total < 5_000:
            continue
        figures = []
        for start in (0, total // 2, total - 400):
            before = own_cpu(server.pid)
            for page in range(4):
                children(container, start + page * 100, 100)
            figures.append((own_cpu(server.pid) - before) / 4 * 1000)
        text = " / ".join(f"{figure:.2f}" for figure in figures)
        # No page costs three times the first one.
        row(f"Browse {container} of {total}, pages of 100: first / middle / last, ms", text,
            3 * figures[0], figures[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--parts", default="artists albums songs marks search folders words browse rest twins")
    options = parser.parse_args()
    data = os.path.join(options.home, f"rows-{options.tracks}")
    if not os.path.exists(os.path.join(data, ".complete")):
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data)
        begin = time.monotonic()
        program = os.path.join(options.programs, "tunelocker")
        subprocess.run([program, "rows", str(options.tracks), MISSING, "--data", data], check=True)
        print(f"({options.tracks} tracks written in {time.monotonic() - begin:.0f} s)", file=sys.stderr)
        open(os.path.join(data, ".complete"), "w").close()
    random.seed(1)
    server = Server(options.programs, data, {"Rows": MISSING}, QUIET)
    try:
        server.sign_in()
        ask = Ask(server)
        settle(server)
        album_total = options.tracks // 10
        parts = {
            "artists": lambda: artists(server, ask, album_total),
            "albums": lambda: albums(server, ask, album_total),
            "search": lambda: (pages(server, ask, "search3", 20, options.tracks, 2, query="", artistCount=0, albumCount=0),
                               walk(server, ask, options.tracks)),
            "songs": lambda: songs(server, ask),
            "marks": lambda: marks(server, ask),
            "folders": lambda: folders(server, ask),
            "words": lambda: searches(server, ask),
            "browse": lambda: browse(server),
            "rest": lambda: rest(server),
        }
        wanted = options.parts.split()
        for part in wanted:
            if part != "twins":
                parts[part]()
    finally:
        server.stop()
    if "twins" in wanted:
        twins(options)
    print(f"{len(OVER)} over their goal" + "".join(f"; {work}" for work in OVER))


main()
