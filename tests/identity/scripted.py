"""An issuer that answers as a test says: what a real one does seldom, or never."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Scripted:
    """Its token endpoint gives `answers` one after another, as status and body; each request's time is kept."""

    def __init__(self, answers: list[tuple[int, dict]], **changed: object) -> None:
        self.answers = list(answers)
        self.forms: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(200, {**outer.configuration, **changed})

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["content-length"])).decode()
                outer.forms.append(form)
                if self.path == "/device":
                    self._say(200, outer.begun)
                else:
                    self._say(*(outer.answers.pop(0) if outer.answers else (400, {"error": "expired_token"})))

            def _say(self, status: int, body: dict) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.configuration = {
            "issuer": self.issuer,
            "device_authorization_endpoint": f"{self.issuer}/device",
            "token_endpoint": f"{self.issuer}/token",
        }
        self.begun = {
            "device_code": "secret-device-code",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://login.example/device",
            "expires_in": 600,
            "interval": 1,
        }
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Scripted":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
