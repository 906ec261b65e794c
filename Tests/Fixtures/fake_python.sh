#!/bin/sh
# Stands where the recogniser's Python would: does what the first word of the lyrics says, and otherwise starts the real one.
# REAL is put in front of it by the test.
for argument; do
    case $last in
    --text) text=$argument ;;
    --out) out=$argument ;;
    esac
    last=$argument
done
case $(head -c 40 "$text" 2>/dev/null) in
*Hang*) exec sleep 600 ;;
*Stubborn*)
    trap '' TERM
    while :; do sleep 600; done
    ;;
*Orphan*)
    # A grandchild in a session of its own that keeps our output open.
    setsid sleep 600 &
    exec "$REAL" "$@"
    ;;
*Flood*) exec yes "a line that says nothing, again and again, without end" ;;
*Unbroken*) exec cat /dev/zero ;;
*Garbage*) head -c 5000 /dev/urandom >"$out" ;;
*Half*) printf '{"times": [[0.1, 0.2], [0.' >"$out" ;;
*Silent*) ;;
*Backwards*) printf '{"times": [[0.9, 1.2], [0.1, 0.2]]}' >"$out" ;;
*Crash*) kill -SEGV $$ ;;
*Seven*) echo "something went wrong" >&2 && exit 7 ;;
*) exec "$REAL" "$@" ;;
esac
