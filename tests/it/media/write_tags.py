"""Writes every field that is understood into copies of files, with mutagen. Usage: FOLDER"""
import sys
from mutagen import id3 as I
from mutagen.flac import FLAC
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.apev2 import APEv2

folder = sys.argv[1]
ID = ["%08d-0000-4000-8000-000000000000" % n for n in range(10)]

vorbis = {
    "TITLE": "T", "TITLESORT": "ST", "ARTIST": "A feat. B", "ARTISTS": ["A", "B"], "ARTISTSORT": ["SA", "SB"],
    "ALBUM": "Al", "ALBUMSORT": "SAl", "ALBUMVERSION": "Deluxe", "ALBUMARTIST": "C & D", "ALBUMARTISTS": ["C", "D"],
    "ALBUMARTISTSORT": ["SC", "SD"], "TRACKNUMBER": "03/12", "DISCNUMBER": "1", "DISCTOTAL": "2", "DISCSUBTITLE": "First",
    "DATE": "2001-02-03", "RELEASEDATE": "2002", "ORIGINALDATE": "1999-05", "GENRE": ["Rock; Pop", "17"], "COMPOSER": ["K", "L"],
    "CONDUCTOR": "Con", "LYRICIST": "Lyr", "REMIXER": "Rem", "ARRANGER": "Arr", "PRODUCER": "Pro", "ENGINEER": "Eng", "MIXER": "Mix",
    "DJMIXER": "Dj", "PERFORMER": ["P (guitar)", "Q"], "COMPILATION": "1", "ITUNESADVISORY": "1", "BPM": "127.6", "COMMENT": "Hm",
    "REPLAYGAIN_TRACK_GAIN": "-7.03 dB", "REPLAYGAIN_TRACK_PEAK": "0.98", "REPLAYGAIN_ALBUM_GAIN": "+1.5", "REPLAYGAIN_ALBUM_PEAK": "1.01",
    "RELEASETYPE": ["Album", "Live"], "LABEL": ["L1", "L2"], "ISRC": "XX123", "MOOD": "calm", "GROUPING": "G", "WORK": "W",
    "MUSICBRAINZ_WORKID": ID[7], "MOVEMENTNAME": "Mv", "MOVEMENT": "2", "MOVEMENTTOTAL": "4", "LYRICS": "la\nla",
    "MUSICBRAINZ_ARTISTID": [ID[0], ID[1]], "MUSICBRAINZ_ALBUMARTISTID": [ID[2], ID[3]], "MUSICBRAINZ_ALBUMID": ID[4],
    "MUSICBRAINZ_RELEASEGROUPID": ID[5], "MUSICBRAINZ_TRACKID": ID[6], "MUSICBRAINZ_RELEASETRACKID": ID[8],
}
f = FLAC(folder + "/a.flac")
for k, v in vorbis.items():
    f[k] = v
f.save()

t = I.ID3()
texts = {"TIT2": "T", "TSOT": "ST", "TPE1": "A feat. B", "TSOP": ["SA", "SB"], "TALB": "Al", "TSOA": "SAl", "TPE2": "C & D", "TSO2": ["SC", "SD"],
         "TRCK": "03/12", "TPOS": "1/2", "TSST": "First", "TDRC": "2001-02-03", "TDRL": "2002", "TDOR": "1999-05", "TCON": ["Rock; Pop", "17"],
         "TCOM": ["K", "L"], "TPE3": "Con", "TEXT": "Lyr", "TPE4": "Rem", "TCMP": "1", "TBPM": "128", "TPUB": ["L1", "L2"], "TSRC": "XX123",
         "TMOO": "calm", "GRP1": "G", "TIT1": "W", "MVNM": "Mv", "MVIN": "2/4"}
for k, v in texts.items():
    t.add(getattr(I, k)(encoding=3, text=v if isinstance(v, list) else [v]))
t.add(I.TIPL(encoding=3, people=[["arranger", "Arr"], ["producer", "Pro"], ["engineer", "Eng"], ["mix", "Mix"], ["DJ-mix", "Dj"]]))
t.add(I.TMCL(encoding=3, people=[["guitar", "P"], ["performer", "Q"]]))
for k, v in {"ARTISTS": ["A", "B"], "ALBUMARTISTS": ["C", "D"], "ALBUMVERSION": ["Deluxe"], "ITUNESADVISORY": ["1"], "MusicBrainz Artist Id": ID[0:2],
             "MusicBrainz Album Artist Id": ID[2:4], "MusicBrainz Album Id": [ID[4]], "MusicBrainz Release Group Id": [ID[5]],
             "MusicBrainz Release Track Id": [ID[8]], "MusicBrainz Work Id": [ID[7]], "MusicBrainz Album Type": ["Album", "Live"],
             "replaygain_track_gain": ["-7.03 dB"], "replaygain_track_peak": ["0.98"], "replaygain_album_gain": ["+1.5"], "replaygain_album_peak": ["1.01"]}.items():
    t.add(I.TXXX(encoding=3, desc=k, text=v))
t.add(I.UFID(owner="http://musicbrainz.org", data=ID[6].encode()))
t.add(I.COMM(encoding=3, lang="eng", desc="", text="Hm"))
t.add(I.COMM(encoding=3, lang="eng", desc="iTunNORM", text="0000"))
t.add(I.USLT(encoding=3, lang="deu", desc="", text="la\nla"))
t.add(I.SYLT(encoding=3, lang="eng", format=2, type=1, desc="", text=[("one", 1500), ("two", 61020)]))
t.save(folder + "/a.mp3", v2_version=4)

m = MP4(folder + "/a.m4a")
m["\xa9nam"] = "T"; m["sonm"] = "ST"; m["\xa9ART"] = "A feat. B"; m["soar"] = ["SA", "SB"]; m["\xa9alb"] = "Al"; m["soal"] = "SAl"
m["aART"] = "C & D"; m["soaa"] = ["SC", "SD"]; m["trkn"] = [(3, 12)]; m["disk"] = [(1, 2)]; m["\xa9day"] = "2001-02-03T07:00:00Z"
m["\xa9gen"] = ["Rock; Pop", "17"]; m["\xa9wrt"] = ["K", "L"]; m["cpil"] = True; m["rtng"] = [1]; m["tmpo"] = [128]; m["\xa9cmt"] = "Hm"
m["\xa9grp"] = "G"; m["\xa9wrk"] = "W"; m["\xa9mvn"] = "Mv"; m["\xa9mvi"] = [2]; m["\xa9mvc"] = [4]; m["\xa9lyr"] = "la\nla"
for k, v in {"ARTISTS": ["A", "B"], "ALBUMARTISTS": ["C", "D"], "ALBUMVERSION": ["Deluxe"], "DISCSUBTITLE": ["First"], "RELEASEDATE": ["2002"],
             "ORIGINALDATE": ["1999-05"], "CONDUCTOR": ["Con"], "LYRICIST": ["Lyr"], "REMIXER": ["Rem"], "ARRANGER": ["Arr"], "PRODUCER": ["Pro"],
             "ENGINEER": ["Eng"], "MIXER": ["Mix"], "DJMIXER": ["Dj"], "PERFORMER": ["P (guitar)", "Q"], "replaygain_track_gain": ["-7.03 dB"],
             "replaygain_track_peak": ["0.98"], "replaygain_album_gain": ["+1.5"], "replaygain_album_peak": ["1.01"],
             "MusicBrainz Album Type": ["Album", "Live"], "LABEL": ["L1", "L2"], "ISRC": ["XX123"], "MOOD": ["calm"], "MusicBrainz Work Id": [ID[7]],
             "MusicBrainz Artist Id": ID[0:2], "MusicBrainz Album Artist Id": ID[2:4], "MusicBrainz Album Id": [ID[4]],
             "MusicBrainz Release Group Id": [ID[5]], "MusicBrainz Track Id": [ID[6]], "MusicBrainz Release Track Id": [ID[8]]}.items():
    m["----:com.apple.iTunes:" + k] = [MP4FreeForm(x.encode()) for x in v]
m.save()

a = APEv2()
names = {"TRACKNUMBER": "Track", "DISCNUMBER": "Disc", "DATE": "Year", "ALBUMARTIST": "Album Artist"}
for k, v in vorbis.items():
    if k != "DISCTOTAL":
        a[names.get(k, k)] = "1/2" if k == "DISCNUMBER" else v
a.save(folder + "/a.wv")

o = OggOpus(folder + "/a.opus")
o["TITLE"] = "T"; o["R128_TRACK_GAIN"] = str(-256 * 10); o["R128_ALBUM_GAIN"] = "128"
o.save()
