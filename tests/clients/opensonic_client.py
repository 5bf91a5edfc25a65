"""Drives the server as Music Assistant does, through py-opensonic, whose dataclasses are strict:
a member that is missing or of the wrong type raises.

usage: opensonic_client.py URL USER SECRET MUSIC_FOLDER
"""

import asyncio
import pathlib
import sys
from urllib.parse import urlparse

from libopensonic import AsyncConnection


async def everything(url, user, secret, music):
    where = urlparse(url)
    base = f"{where.scheme}://{where.hostname}"
    for credentials in (
        {"username": user, "password": secret},
        {"username": user, "password": secret, "legacy_auth": True},
        {"username": user, "password": secret, "use_get": True, "use_views": False},
        {"api_key": secret},
    ):
        connection = AsyncConnection(base, port=where.port, **credentials)
        assert await connection.ping(), credentials
        await use(connection, user, music)
        await connection.cleanup()


async def use(connection, user, music):
    names = {each.name for each in await connection.get_open_subsonic_extensions()}
    assert {"formPost", "apiKeyAuthentication", "songLyrics", "indexBasedQueue"} <= names, names
    # get_music_folders of 10.4.1 walks the keys of the answer and cannot work with any server.
    assert (await connection.get_user(user)).username == user

    # Browse by tags, counting as a sync does.
    artists = await connection.get_artists()
    listed = [artist for index in artists.index for artist in index.artist]
    albums = set()
    for artist in listed:
        whole = await connection.get_artist(artist.id)
        albums.update(album.id for album in whole.album)
        assert artist.album_count == len(whole.album), artist
        await connection.get_artist_info2(artist.id)
        await connection.get_top_songs(artist.name)
    songs = set()
    offset = 0
    while page := await connection.get_album_list2("alphabeticalByName", size=2, offset=offset):
        for album in page:
            whole = await connection.get_album(album.id)
            assert whole.song_count == len(whole.song), whole
            songs.update(song.id for song in whole.song)
            await connection.get_album_info2(album.id)
        offset += len(page)
    assert len(albums) == offset == 5, (albums, offset)

    # Browse by folders.
    indexes = await connection.get_indexes()
    for index in indexes.index:
        for top in index.artist:
            directory = await connection.get_music_directory(top.id)
            assert directory.child, directory

    # Sync by an empty search in pages.
    seen = []
    while page := (
        await connection.search3(
            '""', artist_count=0, album_count=0, song_count=4, song_offset=len(seen)
        )
    ).song:
        seen.extend(song.id for song in page)
    assert len(seen) == len(set(seen)) == 9 and songs == set(seen), seen

    # Search, star, rate, listen.
    found = (await connection.search3("all i want")).song
    assert [song.title for song in found] == ["All I Want"], found
    song = found[0]
    assert song.artists and song.album_artists and song.replay_gain, song
    await connection.star(sids=[song.id])
    assert [each.id for each in (await connection.get_starred2()).song] == [song.id]
    await connection.unstar(sids=[song.id])
    await connection.set_rating(song.id, 4)
    assert (await connection.get_song(song.id)).user_rating == 4
    before = (await connection.get_song(song.id)).play_count or 0
    await connection.scrobble(song.id, submission=False)
    assert any(each.id == song.id for each in await connection.get_now_playing())
    await connection.scrobble(song.id, submission=True)
    assert (await connection.get_song(song.id)).play_count >= before

    # Playlists.
    assert await connection.create_playlist(name="From afar", song_ids=[song.id, *seen[:2]])
    (made,) = [each for each in await connection.get_playlists() if each.name == "From afar"]
    await connection.update_playlist(made.id, comment="c", song_ids_to_add=[song.id])
    again = await connection.get_playlist(made.id)
    assert [each.id for each in again.entry] == [song.id, *seen[:2], song.id], again
    await connection.delete_playlist(made.id)
    assert not any(each.id == made.id for each in await connection.get_playlists())

    # Queue, bookmarks, lyrics, genres.
    await connection.save_play_queue(seen[:3], current=seen[1], position=1500)
    queue = await connection.get_play_queue()
    assert queue.current == seen[1] and queue.position == 1500, queue
    await connection.create_bookmark(song.id, 2000, "here")
    assert [mark.entry.id for mark in await connection.get_bookmarks()] == [song.id]
    await connection.delete_bookmark(song.id)
    lyrics = await connection.get_lyrics_by_song_id(song.id)
    assert lyrics[0].synced and lyrics[0].line[0].start == 500, lyrics
    genres = await connection.get_genres()
    assert {genre.value: genre.song_count for genre in genres}["Pop"] == 2, genres
    assert not (await connection.get_scan_status()).scanning

    # Bytes.
    truth = (pathlib.Path(music) / "Joni Mitchell/Blue/01 All I Want.flac").read_bytes()
    for answer in (await connection.stream(song.id), await connection.download(song.id)):
        assert await answer.read() == truth
    part = await connection.stream(song.id, byte_range="bytes=10-19")
    assert part.status == 206 and await part.read() == truth[10:20]
    cover = await connection.get_cover_art(song.cover_art, size=100)
    assert cover.content_type == "image/jpeg" and len(await cover.read()) > 100


asyncio.run(everything(*sys.argv[1:]))
print("all done")
