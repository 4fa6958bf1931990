// LangChain's ChatOpenAI with every provider.

import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { concat } from '@langchain/core/utils/stream';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';

import { matrix } from './matrix.mjs';
import { apiKey, baseURL } from './support.mjs';

const chat = (model, options = {}) =>
  new ChatOpenAI({
    model,
    apiKey,
    maxRetries: 0,
    configuration: { baseURL },
    useResponsesApi: false,
    streamUsage: true,
    ...options,
  });

function toMessages(talk) {
  return talk.flatMap((turn) => {
    if (turn.answer) return [turn.answer.raw];
    if (turn.results) return turn.results.map(({ id, content }) => new ToolMessage({ tool_call_id: id, content }));
    if (!turn.image) return [new HumanMessage(turn.user)];
    const url = `data:image/png;base64,${turn.image}`;
    return [new HumanMessage({ content: [{ type: 'text', text: turn.user }, { type: 'image_url', image_url: { url } }] })];
  });
}

async function ask(model, { talk, stream, tools, schema, effort }) {
  let runnable = chat(model, effort && { modelKwargs: { reasoning_effort: effort } });
  if (schema) {
    const structured = runnable.withStructuredOutput(schema, { name: 'city', method: 'jsonSchema' });
    return { parsed: await structured.invoke(toMessages(talk)) };
  }
  if (tools) runnable = runnable.bindTools(tools.map((f) => ({ type: 'function', function: f })));
  let message;
  let pieces;
  if (stream) {
    pieces = 0;
    for await (const chunk of await runnable.stream(toMessages(talk))) {
      pieces += chunk.content ? 1 : 0;
      message = message ? concat(message, chunk) : chunk;
    }
  } else {
    message = await runnable.invoke(toMessages(talk));
  }
  const usage = message.usage_metadata;
  return {
    text: message.content,
    pieces,
    calls: message.tool_calls.map(({ id, name, args }) => ({ id, name, args })),
    finish: { stop: 'stop', tool_calls: 'tools' }[message.response_metadata.finish_reason],
    usage: {
      input: usage.input_tokens,
      output: usage.output_tokens,
      cached: usage.input_token_details?.cache_read,
      reasoning: usage.output_token_details?.reasoning,
    },
    raw: message,
  };
}

matrix('@langchain/openai', {
  ask,
  reasoningShown: false,
  async abort(model, controller) {
    const stream = await chat(model).stream(toMessages([{ user: 'Hello' }]), { signal: controller.signal });
    for await (const chunk of stream) if (chunk.content) controller.abort();
    throw new Error('aborted');
  },
  async respond(model, stream) {
    const runnable = chat(model, { useResponsesApi: true });
    let message;
    if (stream) {
      for await (const chunk of await runnable.stream('Hello there')) message = message ? concat(message, chunk) : chunk;
    } else {
      message = await runnable.invoke('Hello there');
    }
    const { input_tokens: input, output_tokens: output } = message.usage_metadata;
    return { text: message.text, usage: { input, output } };
  },
  embed: (model, texts) =>
    new OpenAIEmbeddings({ model, apiKey, dimensions: 4, maxRetries: 0, configuration: { baseURL } }).embedDocuments(texts),
  failure: (e) => ({
    status: e.status,
    name: e.constructor.name,
    message: e.message,
    retryAfter: e.headers?.get?.('retry-after'),
  }),
});
