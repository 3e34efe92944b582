// Asks models through the SDKs for JavaScript: a JSON line in says what and how, a JSON line out what was heard.
// It is `ways/node_sdks.py` that asks.

import { createInterface } from "node:readline";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { AzureOpenAI } from "openai";

const options = (ask) => ({ apiKey: ask.key, maxRetries: 0, timeout: ask.patience });
const openai = (ask) => new OpenAI({ baseURL: `${ask.base}/v1`, ...options(ask) });
const azure = (ask) => new AzureOpenAI({ endpoint: ask.base, apiVersion: "2024-10-21", ...options(ask) });
const anthropic = (ask) => new Anthropic({ baseURL: ask.base, ...options(ask) });
const picture = (ask) => `data:image/png;base64,${ask.image}`;

// --- OpenAI chat completions

function chat(ask) {
  const text = { type: "text", text: ask.prompt };
  const content = ask.image ? [text, { type: "image_url", image_url: { url: picture(ask) } }] : ask.prompt;
  const tools = ask.tool ? { tools: [{ type: "function", function: ask.tool }] } : {};
  return { model: ask.model, messages: [{ role: "user", content }], ...tools };
}

const called = (call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) });

function takeChat(heard, choice) {
  heard.text += (choice.message.content ?? "") + (choice.message.refusal ?? "");
  heard.calls.push(...(choice.message.tool_calls ?? []).map(called));
  heard.finish = choice.finish_reason;
}

async function takeChatStream(heard, stream) {
  const calls = [];
  for await (const { choices } of stream) {
    for (const { delta, finish_reason } of choices) {
      heard.text += (delta.content ?? "") + (delta.refusal ?? "");
      for (const { index, function: { name, arguments: piece } } of delta.tool_calls ?? []) {
        calls[index] ??= { function: { name: "", arguments: "" } };
        calls[index].function.name += name ?? "";
        calls[index].function.arguments += piece ?? "";
      }
      heard.finish = finish_reason ?? heard.finish;
    }
  }
  heard.calls.push(...calls.map(called));
}

// --- OpenAI responses

function response(ask) {
  const content = [{ type: "input_text", text: ask.prompt }];
  if (ask.image) content.push({ type: "input_image", detail: "auto", image_url: picture(ask) });
  const tools = ask.tool ? { tools: [{ type: "function", strict: false, ...ask.tool }] } : {};
  return { model: ask.model, input: [{ role: "user", content }], ...tools };
}

function takeResponse(heard, answer) {
  for (const item of answer.output) {
    if (item.type === "message") {
      for (const part of item.content) heard.text += part.text ?? part.refusal ?? "";
    } else if (item.type === "function_call") {
      heard.calls.push({ name: item.name, arguments: JSON.parse(item.arguments) });
    }
  }
  heard.finish = answer.status;
}

function takeResponseEvent(heard, event) {
  switch (event.type) {
    case "response.output_text.delta":
    case "response.refusal.delta":
      heard.text += event.delta;
      break;
    case "response.output_item.done":
      if (event.item.type === "function_call") {
        heard.calls.push({ name: event.item.name, arguments: JSON.parse(event.item.arguments) });
      }
      break;
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
      heard.finish = event.response.status;
  }
}

// --- Anthropic messages

function message(ask) {
  const content = [{ type: "text", text: ask.prompt }];
  if (ask.image) {
    content.push({ type: "image", source: { type: "base64", media_type: "image/png", data: ask.image } });
  }
  const { name, description, parameters } = ask.tool ?? {};
  const tools = ask.tool ? { tools: [{ name, description, input_schema: parameters }] } : {};
  return { model: ask.model, max_tokens: 100, messages: [{ role: "user", content }], ...tools };
}

function takeMessage(heard, answer) {
  for (const block of answer.content) {
    if (block.type === "text") heard.text += block.text;
    else if (block.type === "tool_use") heard.calls.push({ name: block.name, arguments: block.input });
  }
  heard.finish = answer.stop_reason;
}

async function takeMessageStream(heard, stream) {
  const open = [];
  for await (const event of stream) {
    if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
      open[event.index] = { name: event.content_block.name, text: "" };
    } else if (event.type === "content_block_delta") {
      heard.text += event.delta.text ?? "";
      if (event.delta.type === "input_json_delta") open[event.index].text += event.delta.partial_json;
    } else if (event.type === "content_block_stop" && open[event.index]) {
      const { name, text } = open[event.index];
      heard.calls.push({ name, arguments: JSON.parse(text) });
    } else if (event.type === "message_delta") {
      heard.finish = event.delta.stop_reason;
    }
  }
}

// --- the ways

// The answer of an SDK's call; its headers are noted.
async function opened(heard, call) {
  const { data, response } = await call.withResponse();
  heard.headers = Object.fromEntries(response.headers);
  return data;
}

const kinds = {
  async "openai-chat-whole"(ask, heard) {
    const answer = await opened(heard, openai(ask).chat.completions.create(chat(ask)));
    answer.choices.forEach((choice) => takeChat(heard, choice));
  },
  async "openai-chat-stream"(ask, heard) {
    const call = openai(ask).chat.completions.create({ stream: true, ...chat(ask) });
    await takeChatStream(heard, await opened(heard, call));
  },
  async "openai-chat-helper"(ask, heard) {
    const answer = await openai(ask).chat.completions.stream(chat(ask)).finalChatCompletion();
    answer.choices.forEach((choice) => takeChat(heard, choice));
  },
  // It carries calls out by itself; those are what is heard.
  async "openai-chat-runner"(ask, heard) {
    const run = (name) => (given) => {
      heard.calls.push({ name, arguments: given });
      return "done";
    };
    const given = ask.tool ? [ask.tool] : [];
    const tools = given.map((tool) => ({
      type: "function",
      function: { ...tool, parse: (text) => JSON.parse(text || "{}"), function: run(tool.name) },
    }));
    const runner = openai(ask).chat.completions.runTools({ stream: true, ...chat(ask), tools }, { maxChatCompletions: 1 });
    const answer = await runner.finalChatCompletion();
    const [choice] = answer.choices;
    heard.text += (choice.message.content ?? "") + (choice.message.refusal ?? "");
    heard.finish = choice.finish_reason;
  },
  async "openai-responses-whole"(ask, heard) {
    takeResponse(heard, await opened(heard, openai(ask).responses.create(response(ask))));
  },
  async "openai-responses-stream"(ask, heard) {
    const call = openai(ask).responses.create({ stream: true, ...response(ask) });
    for await (const event of await opened(heard, call)) takeResponseEvent(heard, event);
  },
  async "openai-responses-helper"(ask, heard) {
    const stream = openai(ask).responses.stream(response(ask));
    let pieces = "";
    stream.on("response.output_text.delta", ({ delta }) => (pieces += delta));
    takeResponse(heard, await stream.finalResponse());
    // Of what was stopped in the middle, the response that ends it has the refusal only.
    if (heard.finish === "incomplete") heard.text = pieces;
    else if (heard.text !== pieces) throw new Error(`${heard.text} was put together, and ${pieces} came in pieces`);
  },
  async "azure-chat-whole"(ask, heard) {
    const answer = await opened(heard, azure(ask).chat.completions.create(chat(ask)));
    answer.choices.forEach((choice) => takeChat(heard, choice));
  },
  async "azure-chat-stream"(ask, heard) {
    const call = azure(ask).chat.completions.create({ stream: true, ...chat(ask) });
    await takeChatStream(heard, await opened(heard, call));
  },
  async "anthropic-whole"(ask, heard) {
    takeMessage(heard, await opened(heard, anthropic(ask).messages.create(message(ask))));
  },
  async "anthropic-stream"(ask, heard) {
    const call = anthropic(ask).messages.create({ stream: true, ...message(ask) });
    await takeMessageStream(heard, await opened(heard, call));
  },
  async "anthropic-helper"(ask, heard) {
    takeMessage(heard, await anthropic(ask).messages.stream(message(ask)).finalMessage());
  },
};

function named(error) {
  const names = [];
  for (let it = error?.constructor; it?.name; it = Object.getPrototypeOf(it)) names.push(it.name);
  return { kinds: names, status: error?.status ?? null, message: String(error?.message ?? error) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  const heard = { text: "", calls: [], finish: null, headers: null, error: null };
  try {
    await kinds[ask.kind](ask, heard);
  } catch (error) {
    heard.error = named(error);
  }
  process.stdout.write(`${JSON.stringify(heard)}\n`);
}
