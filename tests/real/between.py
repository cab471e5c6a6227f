"""A man in the middle: it carries the engine's requests to a real server, and kills the engine with SIGKILL at a chosen one.

    before   the request never reaches the server
    after    the server has done it, and nobody hears the answer
    late     the engine is dead, and its request reaches the server after that: the next one is running already
"""

import contextlib
import http.client
import http.server
import re
import threading
import time
import urllib.parse

ONE = re.compile(r"/\d+(\.json)?$")
# how much later a request arrives whose sender is dead: well below the settle time
LATE = 1.0


class Killer:
    """Knows at which requests the engine is killed, and how often: each start of it ends at the first that is left."""

    def __init__(self, points):
        """`points`: what the request does (`call_of`) and the hows that are still to come."""
        self.points = {call: list(hows) for call, hows in points.items()}
        self.lock = threading.Lock()
        self.process = self.hit = None
        # what was done and never answered, to send it again as a naive writer would
        self.unanswered = []
        # when each request set out that has not come back from its server
        self.under_way = {}

    def left(self):
        return sum(len(hows) for hows in self.points.values())

    def begin(self):
        """The next start."""
        with self.lock:
            self.process = self.hit = None

    def how(self, call):
        """Whether this request is the end of its sender, and how."""
        with self.lock:
            if self.hit or not self.points.get(call):
                return None
            self.hit = (call, self.points[call].pop(0))
            return self.hit[1]

    def kill(self):
        # the first request may come before the one who started it has said which process it is
        while self.process is None:
            time.sleep(0.01)
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def on_its_way(self):
        key = object()
        with self.lock:
            self.under_way[key] = time.monotonic()
        try:
            yield
        finally:
            with self.lock:
                del self.under_way[key]

    def wait_for(self, older_than=0):
        """Waits for the requests of the dead that set out so long ago: no server may do them after the settle time."""
        while True:
            with self.lock:
                if all(time.monotonic() - begun < older_than for begun in self.under_way.values()):
                    return
            time.sleep(0.05)


def call_of(method, path):
    """What a request does, in one word."""
    if method == "GET":
        return "read" if ONE.search(path) else "list"
    if method == "POST" and path.endswith("/post"):
        return "post"
    return {"POST": "create", "PUT": "update", "DELETE": "delete"}[method]


class Between:
    """Stands before one server, at an address of its own."""

    def __init__(self, url, killer):
        self.to = urllib.parse.urlsplit(url)
        # the request of a killed run may be at work while the next run sends its own: Tryton gives two invoices that it posts at
        # once the same number (on SQLite it does not lock the series), which would look like a twin of ours
        self.one_post = threading.Lock()
        between, dropped = self, ("connection", "keep-alive", "host", "transfer-encoding")

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def carry(self, body):
                connection = http.client.HTTPConnection(between.to.hostname, between.to.port, timeout=120)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
                posts = call_of(self.command, self.path.split("?")[0]) == "post"
                with killer.on_its_way(), between.one_post if posts else contextlib.nullcontext():
                    connection.request(self.command, self.path, body, headers)
                    reply = connection.getresponse()
                    answer = reply.status, reply.getheaders(), reply.read()
                connection.close()
                return answer

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                call = call_of(self.command, self.path.split("?")[0])
                how = killer.how(call)
                if how is None:
                    status, headers, answer = self.carry(body)
                    self.send_response_only(status)
                    for name, value in headers:
                        if name.lower() not in (*dropped, "content-length"):
                            self.send_header(name, value)
                    if status != 204:
                        self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                    return
                if how == "after":
                    self.carry(body)
                    killer.unanswered.append((between.to, call, self.path, dict(self.headers), body))
                with killer.on_its_way():
                    killer.kill()
                    if how == "late":
                        time.sleep(LATE)
                        self.carry(body)
                self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                # whoever is killed leaves his connections open
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}{self.to.path}"
