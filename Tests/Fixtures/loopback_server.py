#!/usr/bin/env python3
"""A web server on loopback for tests, well-behaved and otherwise.

  loopback_server.py FOLDER        prints its port on the first line; ends when its stdin is closed

  /NAME                 FOLDER/NAME (no sub-folders but hls/), with ranges; unknown names are 404
  /redirect?to=URL      302
  /og.html?src=NAME     a page whose og:audio is NAME, titled `Og Song`
  /plain.html           a page without media
  /two.html?src=NAME    a page with two <audio> tags
  /live.m3u8            a playlist without an end
  /status/CODE          that status; with ?after=SECONDS a Retry-After header
  /cut/NAME             promises the whole file, sends a half, cuts the connection
  /slow/NAME            one byte per second
  /endless.mp3          never stops; no length
  /hang                 never answers
  /requests             the paths asked for so far, one per line
"""
import http.server
import mimetypes
import os
import socket
import struct
import sys
import threading
import urllib.parse

mimetypes.add_type("application/vnd.apple.mpegurl", ".m3u8")
mimetypes.add_type("video/mp2t", ".ts")
mimetypes.add_type("audio/flac", ".flac")
over = threading.Event()
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self): self.answer(False)
    def do_GET(self): self.answer(True)
    def log_message(self, *_): pass

    def answer(self, body):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        kind, _, rest = url.path.lstrip("/").partition("/")
        if kind != "requests":
            asked.append(self.path)
        try:
            special = getattr(self, "on_" + kind.replace(".", "_"), None)
            if special:
                special(rest, query, body)
            else:
                self.file(url.path.lstrip("/"), body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def head(self, status, headers, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        else:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()

    def page(self, text, body, status=200, kind="text/html", headers={}):
        data = text.encode()
        self.head(status, {"Content-Type": kind, **headers}, len(data))
        if body:
            self.wfile.write(data)

    def contents(self, name):
        parts = name.split("/")
        if any(part in ("", ".", "..") for part in parts):
            return None
        path = os.path.join(folder, *parts)
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def type(self, name):
        return mimetypes.guess_type(name)[0] or "application/octet-stream"

    def file(self, name, body):
        data = self.contents(name)
        if data is None:
            return self.page("not here", body, 404)
        start, status, headers = 0, 200, {"Content-Type": self.type(name), "Accept-Ranges": "bytes"}
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and wanted[6:].split("-")[0].isdigit():
            start = min(int(wanted[6:].split("-")[0]), len(data))
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.head(status, headers, len(data) - start)
        if body:
            self.wfile.write(data[start:])

    def on_redirect(self, rest, query, body):
        self.head(302, {"Location": query.get("to", "/")}, 0)

    def on_og_html(self, rest, query, body):
        self.page(f'<html><head><title>page</title><meta property="og:title" content="Og Song">'
                  f'<meta property="og:audio" content="{self.base()}/{query.get("src", "song.mp3")}"></head></html>', body)

    def on_plain_html(self, rest, query, body):
        self.page("<html><head><title>Plain</title></head><body><p>Nothing to hear.</p></body></html>", body)

    def on_two_html(self, rest, query, body):
        source = f'{self.base()}/{query.get("src", "song.mp3")}'
        self.page(f'<html><title>Two</title><audio src="{source}?1"></audio><audio src="{source}?2"></audio></html>', body)

    def on_live_m3u8(self, rest, query, body):
        self.page("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n" + self.base() + "/hls/0.ts\n", body, kind="application/vnd.apple.mpegurl")

    def on_status(self, rest, query, body):
        headers = {"Retry-After": query["after"]} if "after" in query else {}
        self.page(f"status {rest}", body, int(rest), headers=headers)

    def on_cut(self, rest, query, body):
        data = self.contents(rest) or b""
        self.head(200, {"Content-Type": self.type(rest)}, len(data))
        if body:
            self.wfile.write(data[:len(data) // 2])
            self.wfile.flush()
            # A reset instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    def on_slow(self, rest, query, body):
        data = self.contents(rest) or b""
        self.head(200, {"Content-Type": self.type(rest)}, len(data))
        # The first bytes come at once, so that whoever looks at them knows what this is.
        for at in range(0, len(data), 1) if body else ():
            self.wfile.write(data[:2048] if at == 0 else data[2047 + at:2048 + at])
            self.wfile.flush()
            if over.wait(1):
                return

    def on_endless_mp3(self, rest, query, body):
        self.head(200, {"Content-Type": "audio/mpeg"})
        if not body:
            return
        block = (b"\xff\xfb\x90\x00" + bytes(413)) * 64
        while not over.wait(0.002):
            self.wfile.write(block)

    def on_hang(self, rest, query, body):
        over.wait()

    def on_requests(self, rest, query, body):
        self.page("\n".join(asked), body, kind="text/plain")

    def base(self):
        return "http://" + self.headers.get("Host", "")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


if __name__ == "__main__":
    folder = sys.argv[1]
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()
    over.set()
    server.shutdown()
