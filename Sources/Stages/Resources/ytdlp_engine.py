"""Runs yt-dlp with a guard at every connection.

  ytdlp_engine.py guard|open YT-DLP [argument …]

YT-DLP is the program's file. `guard`: a connection to an address that is not public is refused, whoever asks for it: a redirect,
a playlist, a name that resolves differently the second time. `open`: no guard, for tests against a server on loopback.
Adds to yt-dlp's own lines on stdout:  @retry-after SECONDS  when a server answers 429 or 503 with such a header.
"""
import http.client
import ipaddress
import runpy
import sys
import time
from email.utils import parsedate_to_datetime

REFUSED = "refused by lyricd: points at a private address"
# The same table as in NetworkAddress.swift.
SPECIAL = [ipaddress.ip_network(block) for block in (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 "
    "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20").split()]
GLOBAL = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(text):
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False                            # a name: only the C library would know where it leads
    if address.version == 6:
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address in NAT64:
            address = ipaddress.IPv4Address(address.packed[12:])
        elif address not in GLOBAL:
            return False
    return not any(address in block for block in SPECIAL if block.version == address.version)


def watch_connections(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if address is None:                     # sendmsg on a connected socket
            return
        if not isinstance(address, tuple):      # a local socket
            raise PermissionError(f"{REFUSED} ({address!r})")
        if not is_public(str(address[0])):
            raise PermissionError(f"{REFUSED} ({address[0]})")


def watch_answers():
    begin = http.client.HTTPResponse.begin

    def begin_and_look(response):
        begin(response)
        if response.status in (429, 503):
            wait = response.headers.get("Retry-After", "").strip()
            try:
                seconds = float(wait) if wait.isdigit() else parsedate_to_datetime(wait).timestamp() - time.time()
            except (TypeError, ValueError):
                return
            print(f"@retry-after {max(0, round(seconds))}", flush=True)

    http.client.HTTPResponse.begin = begin_and_look


if __name__ == "__main__":
    mode, program = sys.argv[1:3]
    sys.argv = [program] + sys.argv[3:]
    watch_answers()
    if mode == "guard":
        sys.addaudithook(watch_connections)
    elif mode != "open":
        sys.exit("ytdlp_engine.py: guard or open")
    runpy.run_path(program, run_name="__main__")
