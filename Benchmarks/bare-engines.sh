#!/bin/sh
# The programs of the embedded route, one after the other, as a person would start them by hand: what the pipeline is compared with.
#   bare-engines.sh ENGINES SCRIPTS RECORDING WORKDIR
set -eu
engines=$1 scripts=$2 recording=$3 work=$4
ffprobe -v error -print_format json -show_format -show_streams "file:$recording" >"$work/probe.json"
ffmpeg -v error -nostdin -y -i "file:$recording" \
    -af 'apad=pad_len=1536,dialoguenhance=original=0:enhance=1:voice=2,pan=mono|c0=FC,atrim=start_sample=1536,asetpts=N/SR/TB,aresample=16000' \
    -ac 1 -c:a pcm_s16le "file:$work/voice.wav"
"$engines/pocketsphinx/bin/python" "$scripts/pocketsphinx_engine.py" transcribe --audio "$work/voice.wav" --out "$work/words.json" >"$work/log"
