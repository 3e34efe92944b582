"""What slow attackers cost everybody else: the 99th percentile of honest clients with them, over that without them.

`python slow_bench.py [ATTACKERS] [ROUNDS]`: so many connections of each of three kinds (heads a byte at a time, bodies a
byte at a time, connections kept for nothing), medians of paired rounds. Exits with 1 if the ratio is over `BOUND`.
"""

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import running
from bare import Client
from crowd import Crowd
from rig.gateway import Gateway
from rig.upstream import Upstream
from running import head, port, prompt, request

BOUND = 2.0
QUESTIONS = 1500  # in each half of a round: fifteen of them lie above the 99th percentile


def waits(gateway: Gateway) -> list[float]:
    """How long one honest client waits for each of its answers, in milliseconds; sorted."""
    raw = request(gateway, prompt("Good morning."))
    taken = []
    with Client(port(gateway)) as client:
        for _ in range(QUESTIONS):
            began = time.perf_counter()
            client.send(raw)
            answer = client.answer()
            if not answer or answer.status != 200:
                raise RuntimeError(f"an honest client was not answered: {answer}")
            taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)


def besieged(gateway: Gateway, attackers: int) -> list[float]:
    slow_head = head(gateway).removesuffix(b"\r\n") + b"X-Pad: "
    with ExitStack() as stack:
        for first, drip in (
            (slow_head, b"x"),
            (head(gateway, "Content-Length: 1000"), b" "),
            (request(gateway, prompt("Good morning.")), b""),
        ):
            stack.enter_context(Crowd(port(gateway), attackers, first, drip=drip, pause=1.0))
        return waits(gateway)


def main(attackers: int, rounds: int) -> int:
    ratios: list[float] = []
    print(f"{3 * attackers} slow connections; milliseconds")
    print(f"{'round':>5}{'p50':>9}{'p99':>9}{'p50 with':>11}{'p99 with':>11}{'ratio':>8}")
    with (
        tempfile.TemporaryDirectory() as folder,
        Upstream(running.plain_answer) as upstream,
        running.running(Path(folder) / "ordain", upstream.url, body_seconds=60) as gateway,
    ):
        waits(gateway)  # what is made once is made now
        for at in range(rounds):
            alone, crowded = waits(gateway), besieged(gateway, attackers)
            tail = QUESTIONS * 99 // 100
            ratios.append(crowded[tail] / alone[tail])
            half = QUESTIONS // 2
            print(f"{at + 1:>5}{alone[half]:>9.2f}{alone[tail]:>9.2f}{crowded[half]:>11.2f}{crowded[tail]:>11.2f}{ratios[-1]:>8.2f}")
    ratio = statistics.median(ratios)
    print(f"median of the ratios of p99: {ratio:.2f} (bound {BOUND})")
    return 1 if ratio > BOUND else 0


if __name__ == "__main__":
    given = [int(it) for it in sys.argv[1:]]
    sys.exit(main(*(given + [600, 5][len(given) :])))
