"""A web server that has molt's package for firmwares without molt, for boards with a network."""
import http.server
import threading

from board import BUILD


class Package(http.server.BaseHTTPRequestHandler):
    """Hands out the server's files; of those in `bad` what the next function there makes of them, None for 404."""

    def do_GET(self):
        name = self.path.removeprefix("/mip/")
        self.server.asked.append(name)
        data = self.server.files.get(name)
        if self.server.bad.get(name):
            data = self.server.bad[name].pop(0)(data)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def begun():
    """A server of build/mip at /mip/."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Package)
    folder = BUILD / "mip"
    server.files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "source" not in p.parts}
    server.bad = {}
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
