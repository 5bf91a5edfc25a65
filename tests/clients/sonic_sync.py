"""Takes a whole library over through py-sonic, which browses folders and albums in pages.

usage: sonic_sync.py URL USER SECRET LIBRARY MANIFEST
"""

import collections
import sys
from urllib.parse import urlparse

import libsonic
from manifest import Manifest

PAGE = 500


def everything(url, user, secret, library, manifest):
    where = urlparse(url)
    truth = Manifest(library, manifest)
    base = f"{where.scheme}://{where.hostname}"
    connection = libsonic.Connection(base, user, secret, port=where.port)
    assert connection.ping()

    songs = []
    while page := connection.search3(
        "", artistCount=0, albumCount=0, songCount=PAGE, songOffset=len(songs)
    )["searchResult3"].get("song"):
        songs.extend(page)
    assert len({song["id"] for song in songs}) == len(songs)
    titles = collections.Counter((song["title"], song["album"]) for song in songs)
    assert titles == truth.titles, (titles - truth.titles, truth.titles - titles)

    # Every kind of list ends, and holds each album once.
    for kind in ("newest", "alphabeticalByName", "alphabeticalByArtist"):
        albums = []
        while page := connection.getAlbumList2(kind, size=PAGE, offset=len(albums))["albumList2"][
            "album"
        ]:
            albums.extend(page)
        assert len({album["id"] for album in albums}) == len(albums), kind
        assert sum(album["songCount"] for album in albums) == len(songs), kind

    # Folders lead to the same files.
    files = set()

    def walk(directory):
        for child in connection.getMusicDirectory(directory)["directory"]["child"]:
            walk(child["id"]) if child["isDir"] else files.add(child["id"])

    indexes = connection.getIndexes()["indexes"]
    for top in [top for index in indexes["index"] for top in index["artist"]][::9]:
        walk(top["id"])
    assert files and files <= {song["id"] for song in songs}

    chosen = [song["id"] for song in songs[::25]]
    connection.star(sids=chosen)
    assert {song["id"] for song in connection.getStarred2()["starred2"]["song"]} == set(chosen)
    connection.unstar(sids=chosen)

    order = [song["id"] for song in songs[:100]][::-1]
    made = connection.createPlaylist(name="A hundred", songIds=order)["playlist"]
    again = connection.getPlaylist(made["id"])["playlist"]
    assert [entry["id"] for entry in again["entry"]] == order
    connection.deletePlaylist(made["id"])

    song = next(song for song in songs if truth.file_of(song["title"], song["album"]))
    path = truth.file_of(song["title"], song["album"])
    assert connection.stream(song["id"]).read() == path.read_bytes()
    covered = next(song for song in songs if "coverArt" in song)
    assert len(connection.getCoverArt(covered["coverArt"], size=100).read()) > 100


everything(*sys.argv[1:])
print("all done")
