#!/usr/bin/env python3
"""How well the box hears what goes together: neighbours by sound beside chance.

    benches/similar.py [--programs target/release] [NAME=DIR...]

Without folders: the real music that `tests/setup.sh music` fetches, and the demo library. Prints how
long hearing takes, and of the five nearest of each song what share has its album and its artist,
beside what chance would give. Copies in other encodings (made of every eighth file with ffmpeg)
have to be nearest to what they are copies of. A busy machine takes its time: what was not heard is
told, and counts for nothing.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from server import Server

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COPIES = "Copies"


def folders(programs, scratch):
    found = {}
    music = os.path.join(ROOT, ".cache/music")
    if os.path.isdir(music):
        found["Games"] = music
    demo = os.path.join(scratch, "demo")
    subprocess.run([os.path.join(programs, "tunelocker"), "demo", demo], check=True, stdout=subprocess.DEVNULL)
    found["Demo"] = demo
    return found


def title(path):
    """The title in a file's tags, wherever its container keeps them, else its name."""
    asked = ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags", "-of", "json", path]
    found = json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout)
    for tags in [found.get("format", {})] + found.get("streams", []):
        for name, value in tags.get("tags", {}).items():
            if name.lower() == "title":
                return value
    return os.path.splitext(os.path.basename(path))[0]


def copies(libraries, folder):
    """Every eighth file once more, as MP3, AAC or Opus; gives how many."""
    files = sorted(os.path.join(at, name) for library in libraries.values()
                   for at, _, names in os.walk(library) for name in names
                   if name.rsplit(".", 1)[-1] in ("ogg", "flac", "mp3", "wav", "m4a", "opus"))
    os.makedirs(folder)
    for number, path in enumerate(files[::8]):
        suffix, rate = (("mp3", "128k"), ("m4a", "128k"), ("opus", "96k"))[number % 3]
        to = os.path.join(folder, f"{number:04}.{suffix}")
        # Ogg keeps tags with its stream, which ffmpeg does not carry over by itself.
        named = ["-metadata", f"title={title(path)}"]
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-vn", "-b:a", rate, *named, to], check=True)
    return len(files[::8])


def songs(server):
    found, offset = [], 0
    while True:
        page = server.ask("search3", query="", songCount=500, songOffset=offset, artistCount=0, albumCount=0)
        page = page["searchResult3"].get("song", [])
        found += page
        offset += len(page)
        if not page:
            return found


def wait(server, count):
    """Until everything was heard: all songs have a gain, or nothing changes any more."""
    before, since = -1, time.time()
    while True:
        heard = sum("trackGain" in song.get("replayGain", {}) for song in songs(server))
        if heard == count or time.time() - since > 900:
            return heard
        if heard != before:
            before, since = heard, time.time()
        time.sleep(1)


def judge(all_songs, near, of):
    """The share of neighbours that agree, and what chance gives."""
    hits = asked = 0
    chance = 0.0
    for song in all_songs:
        value = of(song)
        same = sum(of(other) == value for other in all_songs) - 1
        if not value or same < 1:
            continue
        found = near[song["id"]][:5]
        hits += sum(of(other) == value for other in found)
        asked += len(found)
        chance += len(found) * same / (len(all_songs) - 1)
    return hits / max(1, asked), chance / max(1, asked)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release"))
    parser.add_argument("libraries", nargs="*", help="NAME=DIR")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp()
    try:
        libraries = dict(one.split("=", 1) for one in options.libraries) or folders(options.programs, scratch)
        made = copies(libraries, os.path.join(scratch, "copies"))
        libraries[COPIES] = os.path.join(scratch, "copies")
        server = Server(options.programs, os.path.join(scratch, "data"), libraries)
        try:
            server.scan()
            server.sign_in()
            known = songs(server)
            begun = time.time()
            heard = wait(server, len(known))
            print(f"songs {len(known)}, heard {heard}, in {time.time() - begun:.0f} s")
            folders_of = {str(one["id"]): one["name"] for one in server.ask("getMusicFolders")["musicFolders"]["musicFolder"]}
            own = []
            for number, name in folders_of.items():
                if name != COPIES:
                    page = server.ask("search3", query="", musicFolderId=number, songCount=10000, artistCount=0, albumCount=0)
                    own += page["searchResult3"].get("song", [])
            ids = {song["id"] for song in own}
            near, nearest = {}, {}
            for song in known:
                found = server.ask("getSonicSimilarTracks", id=song["id"], count=len(known))["sonicMatch"]
                nearest[song["id"]] = found[0] if found else None
                near[song["id"]] = [one["entry"] for one in found
                                    if one["entry"]["id"] in ids and one["entry"].get("title") != song.get("title")]
            for what in ("album", "artist", "genre"):
                share, chance = judge(own, near, lambda song, what=what: song.get(what))
                print(f"five nearest share the {what:<7} {share:.2f}   by chance {chance:.2f}   {share / max(chance, 1e-9):.1f} x")
            # Where nothing was heard, tags alone say what goes together, and there is no likeness.
            found = [(song, nearest[song["id"]]) for song in known if song["id"] not in ids]
            found = [(song, near) for song, near in found if near and 0 <= near["similarity"]]
            hits = [near["similarity"] for song, near in found if near["entry"].get("title") == song.get("title")]
            print(f"copies in another encoding nearest to their piece: {len(hits)} of {len(found)} heard, {made} made; "
                  f"likeness at least {min(hits, default=0):.3f}")
        finally:
            server.stop()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
