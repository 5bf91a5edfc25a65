"""Takes a whole library over as an app does on its first day, through py-opensonic.

usage: opensonic_sync.py URL USER SECRET LIBRARY MANIFEST
"""

import asyncio
import collections
import sys
from urllib.parse import urlparse

from libopensonic import AsyncConnection
from manifest import Manifest

PAGE = 500


async def everything(url, user, secret, library, manifest):
    where = urlparse(url)
    truth = Manifest(library, manifest)
    base = f"{where.scheme}://{where.hostname}"
    connection = AsyncConnection(base, port=where.port, username=user, password=secret)
    assert await connection.ping()

    # Sync by an empty search, in pages, in the same order twice.
    songs = await synced(connection)
    assert [song.id for song in songs] == [song.id for song in await synced(connection)]
    assert len({song.id for song in songs}) == len(songs)
    titles = collections.Counter((song.title, song.album) for song in songs)
    assert titles == truth.titles, (titles - truth.titles, truth.titles - titles)

    # The same songs by albums, page by page, and by artists.
    albums = []
    while page := await connection.get_album_list2(
        "alphabeticalByName", size=PAGE, offset=len(albums)
    ):
        albums.extend(page)
    assert len({album.id for album in albums}) == len(albums)
    assert sum(album.song_count for album in albums) == len(songs)
    inside = set()
    for album in albums[::7]:
        whole = await connection.get_album(album.id)
        assert len(whole.song) == whole.song_count == album.song_count, album
        assert abs(sum(song.duration for song in whole.song) - whole.duration) <= len(whole.song)
        inside.update(song.id for song in whole.song)
    assert inside <= {song.id for song in songs}
    artists = [a for index in (await connection.get_artists()).index for a in index.artist]
    assert truth.album_artists <= {artist.name for artist in artists}, truth.album_artists

    # Stars, all at once.
    chosen = songs[::10]
    await connection.star(sids=[song.id for song in chosen])
    starred = (await connection.get_starred2()).song
    assert {song.id for song in starred} == {song.id for song in chosen}
    await connection.unstar(sids=[song.id for song in chosen])
    assert not (await connection.get_starred2()).song

    # A long playlist keeps its order.
    order = [song.id for song in reversed(songs[:400])]
    assert await connection.create_playlist(name="All of it", song_ids=order)
    (made,) = [each for each in await connection.get_playlists() if each.name == "All of it"]
    assert [entry.id for entry in (await connection.get_playlist(made.id)).entry] == order
    await connection.delete_playlist(made.id)

    # One of each kind of file, to the byte, and its cover.
    kinds, covers = set(), 0
    for song in songs:
        path = truth.file_of(song.title, song.album)
        if path is None or song.suffix in kinds:
            continue
        kinds.add(song.suffix)
        assert await (await connection.stream(song.id)).read() == path.read_bytes(), path
        assert song.size == path.stat().st_size, path
        if song.cover_art and covers < 5:
            cover = await connection.get_cover_art(song.cover_art, size=200)
            assert cover.content_type.startswith("image/") and len(await cover.read()) > 100
            covers += 1
    assert len(kinds) >= 6 and covers, kinds
    await connection.cleanup()


async def synced(connection):
    songs = []
    while page := (
        await connection.search3(
            '""', artist_count=0, album_count=0, song_count=PAGE, song_offset=len(songs)
        )
    ).song:
        songs.extend(page)
    return songs


asyncio.run(everything(*sys.argv[1:]))
print("all done")
