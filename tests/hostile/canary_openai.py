"""Sends canaries by the description that OpenAI publishes of its API: `python canary_openai.py PATH`.

PATH is the description as JSON, gzipped or not. Exits with 1 if a canary reached the upstream.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import canary

# What a request needs though its schema does not say so.
ENDPOINTS = {
    "/chat/completions": {},
    "/responses": {"model": "scripted-1", "input": "Good morning."},
    "/completions": {},
    "/embeddings": {},
}


def main(path: Path) -> int:
    raw = path.read_bytes()
    described = json.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)
    schemas = canary.Schemas(described["components"]["schemas"])
    unseen = 0
    with tempfile.TemporaryDirectory() as folder, canary.world(Path(folder) / "ordain") as (gateway, upstream):
        print(canary.HEADER)
        for endpoint, always in ENDPOINTS.items():
            body = described["paths"][endpoint]["post"]["requestBody"]["content"]["application/json"]["schema"]
            fates = canary.send(gateway, upstream, "/v1" + endpoint, schemas, body, always)
            print(fates.row(f"POST /v1{endpoint}"), flush=True)
            for way in fates.unseen:
                print(f"  a canary reached the upstream from {way}")
            for what in fates.other:
                print(f"  neither masked nor blocked: {what}")
            unseen += len(fates.unseen) + len(fates.other) + (fates.sent == 0)
    return 1 if unseen else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
