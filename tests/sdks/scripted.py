"""What the upstreams of all dialects say: one text and calls of one tool, whole and as a stream.

As in `rig.answers`, which has the two dialects of tests/sdk, the streamed form is made from what the whole one is made
from. Texts and arguments are cut by character.
"""

import enum
from dataclasses import dataclass, field

from rig import answers
from rig.answers import STREAM, by_character, compact
from rig.upstream import Answer

MODEL = "scripted-1"
TOOL = "look_up"
LINES = "application/x-ndjson"


class Api(enum.Enum):
    """An endpoint that talks, and the `finish` words of it: all is well, and refused by policy."""

    CHAT = ("chat", "openai", "stop", "content_filter")
    COMPLETIONS = ("completions", "openai", "stop", "content_filter")
    RESPONSES = ("responses", "openai", "completed", "incomplete")
    AZURE_CHAT = ("azure-chat", "azure", "stop", "content_filter")
    MESSAGES = ("messages", "anthropic", "end_turn", "refusal")
    GEMINI = ("gemini", "gemini", "STOP", "PROHIBITED_CONTENT")
    OLLAMA_CHAT = ("ollama-chat", "ollama", "stop", "content_filter")
    OLLAMA_GENERATE = ("ollama-generate", "ollama", "stop", "content_filter")

    def __init__(self, _name: str, upstream: str, fine: str, refused: str) -> None:
        self.upstream, self.fine, self.refused = upstream, fine, refused

    @property
    def has_tools(self) -> bool:
        return self not in (Api.COMPLETIONS, Api.OLLAMA_GENERATE)

    @property
    def has_images(self) -> bool:
        return self is not Api.COMPLETIONS


@dataclass
class Spoken:
    """What a model says: words, then calls of `look_up` with the given arguments."""

    text: str = ""
    calls: list[dict] = field(default_factory=list)

    def answer(self, api: Api, streamed: bool) -> Answer:
        match api:
            case Api.CHAT | Api.AZURE_CHAT:
                return self._chat(streamed)
            case Api.MESSAGES:
                return self._messages(streamed)
            case Api.RESPONSES:
                return self._response_stream() if streamed else Answer([compact(self._response("completed"))])
            case Api.COMPLETIONS:
                return self._completions(streamed)
            case Api.GEMINI:
                return self._gemini(streamed)
            case Api.OLLAMA_CHAT | Api.OLLAMA_GENERATE:
                return self._ollama(api, streamed)

    def _chat(self, streamed: bool) -> Answer:
        message = {"content": self.text or None}
        if self.calls:
            message["tool_calls"] = [
                answers.tool_call(TOOL, compact(it).decode(), at) for at, it in enumerate(self.calls)
            ]
        return answers.chat_stream(message, cut=by_character) if streamed else answers.chat(message)

    def _messages(self, streamed: bool) -> Answer:
        blocks = [answers.text(self.text)] if self.text else []
        blocks += [answers.tool_use(TOOL, it, at) for at, it in enumerate(self.calls)]
        return answers.message_stream(*blocks, cut=by_character) if streamed else answers.message(*blocks)

    # --- OpenAI completions ---------------------------------------------------------------------------------------

    def _completions(self, streamed: bool) -> Answer:
        def body(text: str, finish: str | None, **more: object) -> bytes:
            choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
            head = {"id": "cmpl-scripted", "object": "text_completion", "created": 1_760_000_000, "model": MODEL}
            return compact({**head, "choices": [choice], **more})

        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        if not streamed:
            return Answer([body(self.text, "stop", usage=usage)])
        return _events([*(body(it, None) for it in self.text), body("", "stop"), b"[DONE]"])

    # --- OpenAI responses -----------------------------------------------------------------------------------------

    def _items(self) -> list[dict]:
        items = []
        if self.text:
            part = {"type": "output_text", "text": self.text, "annotations": [], "logprobs": []}
            head = {"type": "message", "id": "msg_scripted", "status": "completed", "role": "assistant"}
            items.append({**head, "content": [part]})
        for at, arguments in enumerate(self.calls):
            head = {"type": "function_call", "id": f"fc_{at:04}", "call_id": f"call_{at:04}", "name": TOOL}
            items.append({**head, "arguments": compact(arguments).decode(), "status": "completed"})
        return items

    def _response(self, status: str) -> dict:
        done = status == "completed"
        usage = {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 18,
        }
        return {
            "id": "resp_scripted",
            "object": "response",
            "created_at": 1_760_000_000,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "model": MODEL,
            "output": self._items() if done else [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "store": True,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage if done else None,
            "metadata": {},
        }

    def _response_stream(self) -> Answer:
        events: list[dict] = []

        def add(kind: str, **fields: object) -> None:
            events.append({"type": kind, "sequence_number": len(events), **fields})

        add("response.created", response=self._response("in_progress"))
        add("response.in_progress", response=self._response("in_progress"))
        for at, item in enumerate(self._items()):
            place = {"item_id": item["id"], "output_index": at}
            if item["type"] == "message":
                part = item["content"][0]
                spot = {**place, "content_index": 0}
                add("response.output_item.added", output_index=at, item={**item, "status": "in_progress", "content": []})
                add("response.content_part.added", **spot, part={**part, "text": ""})
                for piece in by_character(part["text"]):
                    add("response.output_text.delta", **spot, delta=piece, logprobs=[])
                add("response.output_text.done", **spot, text=part["text"], logprobs=[])
                add("response.content_part.done", **spot, part=part)
            else:
                opening = {**item, "status": "in_progress", "arguments": ""}
                add("response.output_item.added", output_index=at, item=opening)
                for piece in by_character(item["arguments"]):
                    add("response.function_call_arguments.delta", **place, delta=piece)
                whole = {"arguments": item["arguments"], "name": TOOL}
                add("response.function_call_arguments.done", **place, **whole)
            add("response.output_item.done", output_index=at, item=item)
        add("response.completed", response=self._response("completed"))
        pieces = [f"event: {it['type']}\ndata: ".encode() + compact(it) + b"\n\n" for it in events]
        return Answer(pieces, content_type=STREAM)

    # --- Gemini ---------------------------------------------------------------------------------------------------

    def _gemini(self, streamed: bool) -> Answer:
        def body(parts: list[dict], finish: str | None = None) -> bytes:
            candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
            if finish:
                candidate["finishReason"] = finish
            usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
            head = {"usageMetadata": usage, "modelVersion": MODEL, "responseId": "scripted"}
            return compact({"candidates": [candidate], **head})

        calls = [{"functionCall": {"name": TOOL, "args": it}} for it in self.calls]
        if not streamed:
            return Answer([body([*([{"text": self.text}] if self.text else []), *calls], "STOP")])
        pieces = [[{"text": it}] for it in self.text] + [[it] for it in calls]
        return _events([*(body(it) for it in pieces), body([{"text": ""}], "STOP")])

    # --- Ollama ---------------------------------------------------------------------------------------------------

    def _ollama(self, api: Api, streamed: bool) -> Answer:
        head = {"model": MODEL, "created_at": "2026-11-23T08:00:00.5Z"}
        end = {"done": True, "done_reason": "stop", "total_duration": 5, "prompt_eval_count": 11, "eval_count": 7}

        def says(text: str, calls: list[dict]) -> dict:
            if api is Api.OLLAMA_GENERATE:
                return {"response": text}
            message = {"role": "assistant", "content": text}
            return {"message": message | ({"tool_calls": calls} if calls else {})}

        calls = [{"function": {"name": TOOL, "arguments": it}} for it in self.calls]
        if not streamed:
            return Answer([compact({**head, **says(self.text, calls), **end})])
        lines = [{**head, **says(it, []), "done": False} for it in self.text]
        lines += [{**head, **says("", [it]), "done": False} for it in calls]
        lines.append({**head, **says("", []), **end})
        return Answer([compact(it) + b"\n" for it in lines], content_type=LINES)


def _events(data: list[bytes]) -> Answer:
    return Answer([b"data: " + it + b"\n\n" for it in data], content_type=STREAM)
