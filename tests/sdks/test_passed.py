"""Endpoints that nobody reads: refused, unless a line of the policy passes them, and then as they are (threat C12)."""

import json
import subprocess
from pathlib import Path

import anthropic
import openai
import pytest

from rig.gateway import Gateway, binary, edit_section
from rig.upstream import Answer, End, Seen, Upstream

LINES = r"""
  endpoints:
    - id: EP-1
      endpoints:
        - openai POST /v1/files
        - openai GET /v1/files
        - openai GET /v1/files/{file_id}
        - openai GET /v1/files/{file_id}/content
        - openai DELETE /v1/files/{file_id}
      groups: [staff]
      then: coach
      reason: Fine-tuning data, looked at before it is sent.
    - id: EP-2
      endpoints: [openai POST /v1/batches, openai GET /v1/batches]
      groups: [staff]
      then: allow
      reason: What is in a batch was looked at as a file.
  clauses:
    - {id: AC-9, statement: Training data may be sent as files., enforced_by: access.endpoints}
"""

FILE = {"id": "file-1", "object": "file", "bytes": 5, "created_at": 1, "filename": "a.jsonl", "purpose": "fine-tune", "status": "processed"}
BATCH = {
    "id": "batch-1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "validating",
    "created_at": 1,
}
CONTENT = bytes(range(256)) * 4096


def _answer(seen: Seen) -> Answer:
    path = seen.target.partition("?")[0]
    if path.endswith("/content"):
        return Answer([CONTENT[at : at + 65536] for at in range(0, len(CONTENT), 65536)], content_type="text/html")
    if path == "/v1/batches":
        made = BATCH if seen.method == "POST" else {"object": "list", "data": [BATCH], "has_more": False}
        return Answer([json.dumps(made).encode()])
    if seen.method == "DELETE":
        return Answer([json.dumps({"id": "file-1", "object": "file", "deleted": True}).encode()])
    if seen.method == "GET" and path == "/v1/files":
        return Answer([json.dumps({"object": "list", "data": [FILE], "has_more": False}).encode()])
    return Answer([json.dumps(FILE).encode()])


@pytest.fixture
def upstream():
    with Upstream(_answer) as it:
        yield it


def _records(folder: Path) -> list[dict]:
    command = [binary(), "records", "list", "--dir", folder, "--format", "json"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(listed.stdout)["records"]


def _client(gateway: Gateway) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=gateway.key, max_retries=0, timeout=20)


def test_files_are_refused_until_a_line_of_the_policy_passes_them(tmp_path: Path, upstream: Upstream) -> None:
    folder = tmp_path / "ordain"
    with Gateway.start(folder, {"openai": upstream.url}) as gateway, _client(gateway) as client:
        with pytest.raises(openai.PermissionDeniedError):
            client.files.create(file=("a.jsonl", b"{}\n"), purpose="fine-tune")
        with pytest.raises(openai.PermissionDeniedError):
            client.files.list()
        assert not upstream.requests
    edit_section(folder / "policy" / "policy.yaml", "access", r"\n  clauses:\n", LINES)
    with Gateway.start(folder, {"openai": upstream.url}) as gateway, _client(gateway) as client:
        made = client.files.with_raw_response.create(file=("a.jsonl", b'{"card": "4111 1111 1111 1111"}\n'), purpose="fine-tune")
        assert made.parse().id == "file-1"
        assert made.headers["ordain-decision"] == "coach" and "access.endpoints" in made.headers["ordain-clause"]
        seen = upstream.requests[-1]
        assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b"4111 1111 1111 1111" in seen.body and gateway.key.encode() not in seen.raw
        assert [one.id for one in client.files.list(purpose="fine-tune", extra_query={"api_key": "s"})] == ["file-1"]
        assert upstream.requests[-1].target == "/v1/files?purpose=fine-tune"
        assert client.files.retrieve("file-1").id == "file-1"
        content = client.files.content("file-1")
        assert content.content == CONTENT
        assert content.response.headers["content-type"] == "application/octet-stream"
        assert client.files.delete("file-1").deleted
        assert upstream.requests[-1].method == "DELETE"
        batch = client.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
        assert batch.id == "batch-1" and json.loads(upstream.requests[-1].body)["input_file_id"] == "file-1"
        assert [one.id for one in client.batches.list()] == ["batch-1"]
        # What no line is about stays refused, whatever lies beside it.
        before = len(upstream.requests)
        for beside in (
            lambda: client.batches.cancel("batch-1"),
            lambda: client.uploads.create(bytes=1, filename="a", mime_type="text/plain", purpose="fine-tune"),
            lambda: client.fine_tuning.jobs.list(),
            lambda: client.vector_stores.list(),
        ):
            with pytest.raises(openai.PermissionDeniedError):
                beside()
        assert len(upstream.requests) == before
    records = _records(folder)
    kinds = [(one["kind"], one["content"].get("endpoint")) for one in records if "content" in one]
    for endpoint in ("openai POST /v1/files", "openai POST /v1/batches"):
        assert kinds.count(("intent", endpoint)) == kinds.count(("outcome", endpoint)) == 1, kinds
    intent = next(one for one in records if one["kind"] == "intent" and one["content"]["endpoint"] == "openai POST /v1/files")
    assert intent["uninspectable"] == ["endpoint"] and intent["route"]["wire"] == "" and intent["route"]["endpoint"] == "POST /v1/files"
    assert {"id": "access.endpoints", "verdict": "coach", "acts": "coach", "mode": "enforce"} in intent["decision"]["clauses"]
    outcome = next(one for one in records if one.get("intent") == intent["id"])
    assert outcome["result"] == "completed" and outcome["sent"] == intent["route"]["bytes"] > 0
    # Ids of files and queries are the caller's business.
    assert "file-1" not in json.dumps(records) and "purpose" not in json.dumps(records)


def test_an_answer_that_breaks_off_is_seen_to_break_off(tmp_path: Path, upstream: Upstream) -> None:
    folder = tmp_path / "ordain"
    with Gateway.start(folder, {"openai": upstream.url}):
        pass
    edit_section(folder / "policy" / "policy.yaml", "access", r"\n  clauses:\n", LINES)
    with Gateway.start(folder, {"openai": upstream.url}) as gateway, _client(gateway) as client:
        upstream.answers(Answer([CONTENT[:1000], CONTENT[1000:2000]], content_type="application/octet-stream", end=End.CUT))
        with pytest.raises(openai.APIConnectionError):
            client.files.content("file-1")
    outcome = next(one for one in _records(folder) if one["kind"] == "outcome")
    assert outcome["result"] == "upstream-failed"


def test_a_line_about_one_dialect_is_none_about_another(tmp_path: Path, upstream: Upstream) -> None:
    """Both have files; batches of messages have a line of their own."""
    folder = tmp_path / "ordain"
    both = {"openai": upstream.url, "anthropic": upstream.url}
    with Gateway.start(folder, both):
        pass
    lines = LINES.replace("openai POST /v1/batches", "anthropic POST /v1/messages/batches")
    edit_section(folder / "policy" / "policy.yaml", "access", r"\n  clauses:\n", lines)
    one = {"custom_id": "a", "params": {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}}
    made = {"id": "msgbatch_1", "type": "message_batch", "processing_status": "in_progress"}
    with Gateway.start(folder, both) as gateway:
        client = anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=20)
        with client, _client(gateway) as other:
            with pytest.raises(anthropic.PermissionDeniedError):
                client.beta.files.list()
            assert not upstream.requests
            upstream.answers(Answer([json.dumps(made).encode()]))
            assert client.messages.batches.create(requests=[one]).id == "msgbatch_1"
            seen = upstream.only()
            assert (seen.method, seen.target) == ("POST", "/v1/messages/batches")
            assert seen.headers["anthropic-version"] and gateway.key.encode() not in seen.raw
            with pytest.raises(anthropic.PermissionDeniedError):
                client.messages.batches.list()
            with pytest.raises(openai.PermissionDeniedError):
                other.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
            assert len(upstream.requests) == 1
