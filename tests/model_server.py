"""Something that answers chat completions as a test wants it: fast, slowly, wrongly, or never."""

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ModelServer:
    """Answers on 127.0.0.1. `behave(handler, body)` writes the response."""

    def __init__(self, behave):
        self.behave = behave
        self.asked = []
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length))
                outer.asked.append({"path": self.path, "headers": dict(self.headers), **body})
                with suppress(OSError):  # who asked has gone
                    outer.behave(self, body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.model_server = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def begin(handler, status=200, kind="text/event-stream"):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.end_headers()


def event(handler, value):
    text = value if isinstance(value, str) else json.dumps(value)
    handler.wfile.write(f"data: {text}\n\n".encode())
    handler.wfile.flush()


def piece(text, finish=None):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def says(*pieces, pause=0.0):
    """Answers these pieces, one after the other."""

    def behave(handler, body):
        begin(handler)
        for text in pieces:
            event(handler, piece(text))
            time.sleep(pause)
        event(handler, piece("", "stop"))
        event(handler, "[DONE]")

    return behave


def refuses(status, body=None, **headers):
    def behave(handler, _):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(json.dumps(body or {}).encode())

    return behave


def hangs(handler, body):
    """Takes the call and says nothing."""
    handler.server.model_server.over.wait(60)


def echoes(handler, body):
    """Says again what it was told last, and how much it was told."""
    said = body["messages"][-1]["content"]
    says(f"You said: {said}", f" ({len(body['messages'])} messages)")(handler, body)
