"""What `tests/tools/make_corpus.py` says is in a library it made."""

import collections
import json
import pathlib


class Manifest:
    """The truth about a library."""

    def __init__(self, library, manifest):
        self.library = pathlib.Path(library)
        self.files = collections.defaultdict(list)
        # Every song that there is, by title and album.
        self.titles = collections.Counter()
        self.album_artists = set()
        with open(manifest, encoding="utf8") as lines:
            for line in lines:
                self._add(json.loads(line))

    def _add(self, row):
        if row["type"] == "track":
            key = (row["title"], row["album"])
            self.files[key].append(row["path"])
            self.titles[key] += 1
            self.album_artists.update(row["albumartists"])
        elif row["type"] == "cue":
            for track in row["tracks"]:
                self.titles[track["title"], row["album"]] += 1

    def file_of(self, title, album):
        """The file of a song, unless several are called the same."""
        paths = self.files[title, album]
        return self.library / paths[0] if len(paths) == 1 else None
