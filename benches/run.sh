#!/bin/bash
# usage: benches/run.sh [TRACKS]   Makes the corpus once, then measures the release build over it,
# then lists at SCALE tracks (100,000 unless told), then press to sound if Chromium is there.
# PROGRAM=DIR measures other binaries. PARTS="table scale dav locker playable sync press" chooses. Figures are CPU seconds of
# all processes, not wall clock.
set -euo pipefail
cd "$(dirname "$0")/.."
tracks=${1:-10000}
programs=${PROGRAM:-${CARGO_TARGET_DIR:-target}/release}
python=.cache/venv/bin/python
home=.cache/bench
corpus=$home/corpus-$tracks
mkdir -p "$home"
if [ ! -e "$corpus/summary.json" ]; then
    "$python" tests/tools/make_corpus.py "$corpus" --tracks "$tracks" --unique-audio --cache "$home/payloads"
fi
if [ ! -e "$home/long/long.wav" ]; then
    mkdir -p "$home/long"
    # Four minutes of chords: music to an encoder, not a tone. The flac is what gets transcoded.
    sound="aevalsrc=0.3*sin(2*PI*220*t)*sin(0.7*t)+0.2*sin(2*PI*331*t)+0.1*sin(2*PI*443*t)*sin(3*t)+0.02*(random(0)-0.5)|0.3*sin(2*PI*221*t)+0.2*sin(2*PI*330*t)*sin(0.9*t)+0.02*(random(1)-0.5):s=44100:d=240"
    ffmpeg -v error -f lavfi -i "$sound" -metadata title=LongWav -metadata artist=Bench -metadata album=Long "$home/long/long.wav"
    ffmpeg -v error -i "$home/long/long.wav" -metadata title=LongFlac "$home/long/long.flac"
fi
for part in ${PARTS:-table scale dav locker playable sync press}; do
    case $part in
    table)
        "$python" benches/bench.py --programs "$programs" --corpus "$corpus/library" --long "$home/long" --home "$home"
        ;;
    scale)
        "$python" benches/scale.py --programs "$programs" --home "$home" --tracks "${SCALE:-100000}"
        ;;
    dav)
        "$python" benches/dav.py --programs "$programs" --home "$home"
        ;;
    locker)
        "$python" benches/locker.py --programs "$programs" --home "$home"
        ;;
    playable)
        "$python" benches/playable.py --programs "$programs" --home "$home"
        ;;
    sync)
        "$python" benches/sync.py --programs "$programs"
        ;;
    press)
        if [ -d .cache/web/node_modules/playwright-core ] && command -v chromium >/dev/null; then
            "$python" benches/press.py --programs "$programs" --corpus "$corpus/library" --home "$home"
        else
            echo "press to sound: not measured, run tests/setup.sh node and install chromium"
        fi
        ;;
    esac
done
