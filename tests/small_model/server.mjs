// A server with OpenAI's protocol around one small model:
//
//     node server.mjs NODE_MODULES MODEL.gguf ITEMS
//
// GET /v1/models, POST /v1/chat/completions (one at a time), and POST /tokenize {"content", "vocabulary"} with the
// vocabulary of the model, or with "o200k_base" of OpenAI. So small a model adds items to a list without end, so its
// lists have at most ITEMS. Prints its URL in one line, and each POST as a line of JSON after it.

import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { basename, join } from "node:path";

const [modules, path, items] = process.argv.slice(2);
const entry = join(modules, "node-llama-cpp", "dist", "index.js");
const { getLlama, LlamaChat } = await import(pathToFileURL(entry));
const { getEncoding } = await import(pathToFileURL(join(modules, "js-tiktoken", "dist", "index.js")));

const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
const model = await llama.loadModel({ modelPath: path });
// With more threads than free cores, they wait for each other.
const context = await model.createContext({ contextSize: 8192, threads: 1 });
const chat = new LlamaChat({ contextSequence: context.getSequence() });
const name = basename(path, ".gguf");
const MOST_TOKENS = 512;

class Refused extends Error {}

const bounded = (schema) => {
  const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => [key, bounded(value)]);
  return {
    ...schema,
    ...(schema.properties && { properties: Object.fromEntries(properties) }),
    ...(schema.type === "array" && { maxItems: Number(items) }),
  };
};

const grammarOf = async (format) => {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return await llama.getGrammarFor("json");
  if (format.type === "json_schema") return await llama.createGrammarForJsonSchema(bounded(format.json_schema.schema));
  throw new Refused(`response_format ${format.type} is not known`);
};

const historyOf = (messages) => {
  const made = messages.map(({ role, content }) => {
    if (role === "assistant") return { type: "model", response: [content] };
    if (role === "system" || role === "user") return { type: role, text: content };
    throw new Refused(`role ${role} is not known`);
  });
  return [...made, { type: "model", response: [] }];
};

const complete = async ({ messages, response_format, temperature = 0, max_tokens, max_completion_tokens }) => {
  const chatHistory = historyOf(messages);
  const sent = chat.chatWrapper.generateContextState({ chatHistory }).contextText.tokenize(model.tokenizer).length;
  const before = chat.sequence.tokenMeter.getState();
  const { response, metadata } = await chat.generateResponse(chatHistory, {
    grammar: await grammarOf(response_format),
    maxTokens: max_completion_tokens ?? max_tokens ?? MOST_TOKENS,
    temperature,
  });
  // The counter of the sequence does not count the part of the prompt that it knows from the call before.
  const written = chat.sequence.tokenMeter.diff(before).usedOutputTokens;
  return {
    object: "chat.completion",
    model: name,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: response },
        finish_reason: metadata.stopReason === "maxTokens" ? "length" : "stop",
      },
    ],
    usage: { prompt_tokens: sent, completion_tokens: written, total_tokens: sent + written },
  };
};

const encodings = {};

const tokensOf = ({ content, vocabulary }) => {
  if (!vocabulary) return model.tokenize(content);
  encodings[vocabulary] ??= getEncoding(vocabulary);
  return encodings[vocabulary].encode(content);
};

const answerTo = async (method, url, body) => {
  if (method === "GET" && url === "/v1/models") return [200, { object: "list", data: [{ id: name, object: "model" }] }];
  if (method === "POST" && url === "/tokenize") return [200, { tokens: tokensOf(JSON.parse(body)) }];
  if (method !== "POST" || url !== "/v1/chat/completions") return [404, { error: { message: `no ${url} here` } }];
  try {
    return [200, await complete(JSON.parse(body))];
  } catch (error) {
    return [error instanceof Refused || error instanceof SyntaxError ? 400 : 500, { error: { message: error.message } }];
  }
};

let turn = Promise.resolve();

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString();
    turn = turn.then(async () => {
      const [status, answer] = await answerTo(request.method, request.url, body);
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(answer));
      if (request.method === "POST") console.log(JSON.stringify({ url: request.url, asked: body, status, answer }));
    });
  });
});

server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
