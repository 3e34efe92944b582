"""`serve --schema` prints the shape of the configuration, without a folder."""

import json
import subprocess

from rig.gateway import binary


def test_the_schema_of_the_configuration_is_printed() -> None:
    told = subprocess.run([binary(), "serve", "--schema"], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    schema = json.loads(told.stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"listen", "upstreams", "limits", "tls", "metrics", "traces"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False
