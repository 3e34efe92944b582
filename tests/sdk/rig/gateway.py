"""The product as a process: started, spoken to through its printed address, and ended."""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
READY_WITHIN = 30.0


def binary() -> Path:
    """The `ordain` under test."""
    path = Path(os.environ.get("ORDAIN_BIN", ROOT / "target" / "release" / "ordain"))
    if not path.exists():
        found = shutil.which("ordain") or "none on PATH"
        raise FileNotFoundError(f"no binary at {path} (build it, or set ORDAIN_BIN; {found})")
    return path


class Gateway:
    """One run of `ordain up`."""

    def __init__(self, process: subprocess.Popen, ready: dict, log: Path) -> None:
        self.process = process
        self.url: str = ready["gateway"].rstrip("/")
        self.key: str = ready["key"]
        self.pid: int = ready["pid"]
        self.log = log

    @classmethod
    def start(cls, folder: Path, upstreams: dict[str, str]) -> "Gateway":
        """Starts on a free port and returns when the ready line has come."""
        command = [str(binary()), "up", "--dir", str(folder), "--listen", "127.0.0.1:0", "--format", "json"]
        for dialect, url in upstreams.items():
            command += ["--upstream", f"{dialect}={url}"]
        log = folder.with_name(folder.name + ".log")
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        with log.open("ab") as sink:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink, env=environment
            )
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=cls._drain, args=(process.stdout, lines, log), daemon=True).start()
        try:
            ready = json.loads(lines.get(timeout=READY_WITHIN))
            return cls(process, ready, log)
        except (queue.Empty, ValueError) as problem:
            process.kill()
            process.wait()
            said = log.read_text(errors="replace")[-4000:]
            raise RuntimeError(f"`{' '.join(command)}` did not get ready ({problem!r}):\n{said}") from problem

    @staticmethod
    def _drain(stdout, lines: queue.Queue, log: Path) -> None:
        # The pipe is read to its end, so that the gateway can never block on it.
        with log.open("ab") as sink:
            for line in stdout:
                lines.put(line)
                sink.write(line)
                sink.flush()
        lines.put(b"")

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        """Ends it the polite way; returns the exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends it the way a crash does."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()


def edit_section(policy: Path, section: str, pattern: str, replacement: str) -> None:
    """Replaces `pattern` inside one top-level section of a policy file; it must occur."""
    text = policy.read_text()
    found = re.search(rf"^{section}:.*?(?=^[A-Za-z_]+:|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{policy} has no section `{section}`"
    changed, count = re.subn(pattern, replacement, found.group())
    assert count, f"`{pattern}` does not occur in section `{section}` of {policy}:\n{found.group()}"
    policy.write_text(text[: found.start()] + changed + text[found.end() :])
