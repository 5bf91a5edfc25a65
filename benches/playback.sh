#!/bin/bash
# What playback costs: CPU seconds per GB of originals, milliseconds to the first byte of a
# transcode with a cold and a warm worker, CPU seconds per minute of audio for mp3 and opus.
# CPU counts the server and its workers, from /proc.
#
#   benches/playback.sh [DIRECTORY OF THE BINARIES]
set -euo pipefail
cd "$(dirname "$0")/.."
binaries=$(realpath "${1:-target/release}")
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

music=$work/music
mkdir -p "$music"
# Noise hardly shrinks: a large FLAC. Chords with noise: a song of four minutes.
ffmpeg -v error -f lavfi -i "anoisesrc=d=900:r=48000:a=0.5" -ac 2 -metadata title=Large \
    -metadata artist=A -metadata album=B "$music/large.flac"
ffmpeg -v error -f lavfi -i "sine=220:r=44100:d=240" -f lavfi -i "sine=277:r=44100:d=240" \
    -f lavfi -i "anoisesrc=d=240:r=44100:a=0.05" -filter_complex "amix=3,pan=stereo|c0=c0|c1=c0" \
    -sample_fmt s16 -metadata title=Song -metadata artist=A -metadata album=B "$music/song.flac"
large=$(stat -c %s "$music/large.flac")

export TUNELOCKER_ADMIN_USER=bench TUNELOCKER_ADMIN_PASSWORD=bench-password-1
"$binaries/tunelocker" serve --data "$work/data" --library "bench=$music" \
    --listen 127.0.0.1:0 --no-lan >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 600); do grep -q '^ready' "$work/out" && break; sleep 0.1; done
base=$(sed -n 's/^ready http=\([^ ]*\).*/\1/p' "$work/out")
[ -n "$base" ] || { cat "$work/log"; exit 1; }

ask="u=bench&p=bench-password-1&c=bench&v=1.16.1"
id() {
    curl -sf "$base/rest/search3?$ask&f=json&query=$1&albumCount=0&artistCount=0" |
        grep -o '"id":"tr-[0-9]*"' | head -1 | grep -o 'tr-[0-9]*'
}
for _ in $(seq 300); do # the first scan
    large_id=$(id Large || true)
    song_id=$(id Song || true)
    [ -n "$large_id" ] && [ -n "$song_id" ] && break
    sleep 0.2
done

# Ticks of the server and of its children that have ended.
ticks() { sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 + $14 + $15 }'; }
hertz=$(getconf CLK_TCK)

turns=$((4000000000 / large + 1))
curl -sf -o /dev/null "$base/rest/stream?$ask&id=$large_id"
before=$(ticks)
for _ in $(seq "$turns"); do curl -sf -o /dev/null "$base/rest/stream?$ask&id=$large_id"; done
after=$(ticks)
awk -v t=$((after - before)) -v h="$hertz" -v b="$((turns * large))" \
    'BEGIN { printf "originals_cpu_s_per_gb %.3f\n", t / h / (b / 1e9) }'

first() {
    curl -sf -o /dev/null -w '%{time_starttransfer}\n' --max-time 60 \
        "$base/rest/stream?$ask&id=$song_id&format=$1&maxBitRate=$2"
}
# No worker runs yet. Every bitrate is a transcode of its own, so nothing comes from the cache.
awk -v s="$(first opus 95)" 'BEGIN { printf "first_byte_cold_ms %.1f\n", s * 1000 }'
for format in opus mp3; do
    for kbps in $(if [ $format = opus ]; then seq 96 116; else echo 64 80 96 112 128 160 192; fi); do
        sleep 1.5 # the spare starts
        first $format "$kbps"
    done | sort -n | awk -v f=$format '{ v[NR] = $1 }
        END { printf "first_byte_warm_%s_ms median %.1f min %.1f\n", f, v[int((NR + 1) / 2)] * 1000, v[1] * 1000 }'
done

for format in mp3:224 opus:128; do
    sleep 3
    before=$(ticks)
    curl -sf -o /dev/null "$base/rest/stream?$ask&id=$song_id&format=${format%:*}&maxBitRate=${format#*:}"
    sleep 1
    after=$(ticks)
    awk -v t=$((after - before)) -v h="$hertz" -v f="${format/:/_}" \
        'BEGIN { printf "transcode_cpu_s_per_minute_%s %.3f\n", f, t / h / 4 }'
done
