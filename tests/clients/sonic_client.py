"""Drives the server through py-sonic: an old library that posts forms to `.view` names, expects
JSON of the original Subsonic, and pages by the folder view.

usage: sonic_client.py URL USER SECRET MUSIC_FOLDER
"""

import pathlib
import sys
from urllib.parse import urlparse

import libsonic


def everything(url, user, secret, music):
    where = urlparse(url)
    base = f"{where.scheme}://{where.hostname}"
    # useGET of 1.2.0 needs a module that Python 3 does not have.
    for options in ({}, {"legacyAuth": True}):
        connection = libsonic.Connection(base, user, secret, port=where.port, **options)
        assert connection.ping(), options
        use(connection, user, music)


def use(connection, user, music):
    assert connection.getLicense()["license"]["valid"] is True
    assert connection.getUser(user)["user"]["streamRole"] is True
    folders = connection.getMusicFolders()["musicFolders"]["musicFolder"]
    assert any(folder["name"] == "Music" and isinstance(folder["id"], int) for folder in folders)

    # Browse directories down to the files.
    files = []

    def walk(directory):
        for child in connection.getMusicDirectory(directory)["directory"]["child"]:
            walk(child["id"]) if child["isDir"] else files.append(child["id"])

    indexes = connection.getIndexes()["indexes"]
    for index in indexes["index"]:
        for top in index["artist"]:
            walk(top["id"])
    files.extend(child["id"] for child in indexes["child"])
    assert len(files) == len(set(files)) == 9, files

    # Page, sync, search.
    albums, offset = [], 0
    while page := connection.getAlbumList2("newest", size=2, offset=offset)["albumList2"]["album"]:
        albums.extend(page)
        offset += len(page)
    assert len(albums) == 5
    for album in albums:
        whole = connection.getAlbum(album["id"])["album"]
        assert len(whole["song"]) == whole["songCount"]
    everything_there = connection.search3("", songCount=500)["searchResult3"]["song"]
    assert {song["id"] for song in everything_there} == set(files)
    found = connection.search2("little green")["searchResult2"]["song"]
    assert [song["title"] for song in found] == ["Little Green"]
    song = found[0]

    # Star, rate, listen.
    connection.star(sids=[song["id"]], albumIds=[albums[0]["id"]])
    starred = connection.getStarred2()["starred2"]
    assert (len(starred["song"]), len(starred["album"])) == (1, 1)
    connection.unstar(sids=[song["id"]], albumIds=[albums[0]["id"]])
    connection.setRating(song["id"], 3)
    assert connection.getSong(song["id"])["song"]["userRating"] == 3
    connection.scrobble(song["id"], listenTime=1_700_000_000)
    assert connection.getSong(song["id"])["song"]["playCount"] == 1

    # Playlists.
    made = connection.createPlaylist(name="Old ways", songIds=files[:3])["playlist"]
    connection.updatePlaylist(made["id"], songIdsToAdd=[song["id"]], songIndexesToRemove=[0])
    again = connection.getPlaylist(made["id"])["playlist"]
    assert [each["id"] for each in again["entry"]] == [*files[1:3], song["id"]]
    connection.deletePlaylist(made["id"])

    # Queue, bookmarks, lyrics.
    connection.savePlayQueue(files[:4], files[2], 10)
    assert connection.getPlayQueue()["playQueue"]["current"] == files[2]
    connection.createBookmark(song["id"], 1000, "here")
    assert connection.getBookmarks()["bookmarks"]["bookmark"][0]["entry"]["id"] == song["id"]
    connection.deleteBookmark(song["id"])
    assert "lonely road" in connection.getLyrics("Joni Mitchell", "All I Want")["lyrics"]["value"]
    assert connection.getScanStatus()["scanStatus"]["scanning"] is False

    # Bytes.
    truth = (pathlib.Path(music) / "Joni Mitchell/Blue/03 Little Green.flac").read_bytes()
    assert connection.stream(song["id"]).read() == truth
    assert connection.download(song["id"]).read() == truth
    cover = connection.getCoverArt(song["coverArt"], size=64).read()
    assert cover[:2] == b"\xff\xd8"

    # Refusals are told as what they are.
    try:
        connection.getAlbum("al-999999")
    except libsonic.errors.DataNotFoundError:
        pass
    else:
        raise AssertionError("an album that is not there was found")


everything(*sys.argv[1:])
print("all done")
