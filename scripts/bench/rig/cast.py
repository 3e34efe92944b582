"""The processes of a run. All are ended, by their own ids, when it is over."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")

NGINX_CONF = """\
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 10000000;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream answers {{ server {upstream}; keepalive 256; keepalive_requests 10000000; }}
    server {{
        listen 127.0.0.1:{port};
        tcp_nodelay on;
        location / {{
            proxy_pass http://answers;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


@dataclass
class Subject:
    """One thing that answers: its address, its process, and what was measured of it."""

    name: str
    address: str
    process: subprocess.Popen
    headers: list[str] = field(default_factory=list)
    samples: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, value: float) -> None:
        self.samples.setdefault(what, []).append(value)

    def _pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def memory(self) -> float:
        """Resident memory in MB, workers included."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total / 1024

    def cpu(self) -> dict[str, float]:
        """CPU time so far in µs: `user`, `kernel`, and of each kind of thread by its name without a number."""
        spent = {"user": 0.0, "kernel": 0.0}
        for pid in self._pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
                fields = rest.split()
                user, kernel = int(fields[11]) * TICK, int(fields[12]) * TICK
                spent["user"] += user
                spent["kernel"] += kernel
                kind = re.sub(r"[-0-9]+$", "", name)
                spent[kind] = spent.get(kind, 0.0) + user + kernel
        return spent


class Cast:
    """The processes of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Cast":
        return self

    def __exit__(self, *_exc: object) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, command: list[str], first_line: bool) -> tuple[subprocess.Popen, str]:
        errors = self._folder / f"{len(self._processes)}-{Path(command[0]).name}.log"
        log = errors.open("wb")
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if first_line else log, stderr=log
        )
        self._processes.append(process)
        line = process.stdout.readline().decode().strip() if first_line else ""
        if first_line and not line:
            raise RuntimeError(f"`{command[0]}` ended before it was ready:\n{errors.read_text(errors='replace')}")
        return process, line

    def upstream(self, binary: Path, events: int) -> Subject:
        process, address = self._start([str(binary), str(events)], first_line=True)
        return Subject("no proxy", address, process)

    def proxy(self, binary: Path, upstream: str) -> Subject:
        process, address = self._start([str(binary), upstream], first_line=True)
        return Subject("hyper", address, process)

    def nginx(self, upstream: str) -> Subject:
        # nginx cannot report a port that the system picked, so one is picked just before.
        for _attempt in range(5):
            port = _free_port()
            conf = self._folder / "nginx.conf"
            conf.write_text(NGINX_CONF.format(folder=self._folder, upstream=upstream, port=port))
            command = [which("nginx"), "-p", str(self._folder), "-e", str(self._folder / "nginx.err"), "-c", str(conf)]
            process, _ = self._start(command, first_line=False)
            if _answers(f"127.0.0.1:{port}", process):
                return Subject("nginx", f"127.0.0.1:{port}", process)
        raise RuntimeError("nginx does not start:\n" + (self._folder / "nginx.err").read_text(errors="replace"))

    def ordain(self, binary: Path, upstream: str, *, acts: bool) -> Subject:
        """The gateway with the policy that `init` makes for an organisation which integrates APIs: more than a hundred
        clauses, all built-in detectors, every record durable. `acts` enforces all of it; else everything only observes."""
        name = "ordain" if acts else "observing"
        folder = self._folder / name
        run = lambda *words: subprocess.run(  # noqa: E731
            [str(binary), *words], check=True, capture_output=True, text=True
        ).stdout
        run("init", str(folder), "--profile", "integrates-apis")
        policy = folder / "policy" / "policy.yaml"
        rollout = f"rollout: {{default: {'enforce' if acts else 'observe'}}}\n"
        text, changed = re.subn(r"(?m)^rollout:\n(?: +.*\n)+", rollout, policy.read_text(), count=1)
        if changed != 1:
            raise RuntimeError(f"`{policy}` has no `rollout` to replace")
        policy.write_text(text)
        (folder / "ordain.yaml").write_text(
            f"listen: 127.0.0.1:0\nupstreams:\n  - {{app: openai-api, dialect: openai, url: 'http://{upstream}'}}\n"
        )
        key = json.loads(run("key", "create", "you@example.com", "--dir", str(folder), "--format", "json"))["key"]
        process, line = self._start([str(binary), "up", "--dir", str(folder), "--format", "json"], first_line=True)
        return Subject(name, urlsplit(json.loads(line)["gateway"]).netloc, process, [f"authorization: Bearer {key}"])


def which(command: str) -> str | None:
    return shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(address: str, process: subprocess.Popen) -> bool:
    """Whether something accepts there within five seconds."""
    host, port = address.split(":")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False
