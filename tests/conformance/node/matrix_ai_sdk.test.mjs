// Vercel's AI SDK with its providers for OpenAI, for those who are compatible, and for Anthropic, with every provider.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateObject, generateText, jsonSchema, streamText, tool } from 'ai';

import { matrix, withoutMessages } from './matrix.mjs';
import { apiKey, baseURL } from './support.mjs';

function toMessages(talk) {
  return talk.flatMap((turn) => {
    if (turn.answer) return turn.answer.raw;
    if (turn.results) {
      const content = turn.results.map(({ id, name, content }) => ({
        type: 'tool-result',
        toolCallId: id,
        toolName: name,
        output: { type: 'text', value: content },
      }));
      return [{ role: 'tool', content }];
    }
    if (!turn.image) return [{ role: 'user', content: turn.user }];
    const image = { type: 'image', image: turn.image, mediaType: 'image/png' };
    return [{ role: 'user', content: [{ type: 'text', text: turn.user }, image] }];
  });
}

const toTools = (tools) =>
  Object.fromEntries(
    tools.map((f) => [f.name, tool({ description: f.description, inputSchema: jsonSchema(f.parameters) })]),
  );

/** How an answer is got from a model, with the options that make it reason, and those for an answer in a schema. */
function driver(modelOf, reasoningOptions, schemaOptions = {}) {
  const ask = async (name, { talk, stream, tools, schema, effort }) => {
    const request = {
      model: modelOf(name),
      messages: toMessages(talk),
      maxRetries: 0,
      ...(tools && { tools: toTools(tools) }),
      ...(effort && { providerOptions: reasoningOptions }),
    };
    if (schema) {
      const { object } = await generateObject({
        ...request,
        schema: jsonSchema(schema),
        providerOptions: schemaOptions,
      });
      return { parsed: object };
    }
    let result;
    let pieces;
    if (stream) {
      let failure;
      result = streamText({ ...request, onError: ({ error }) => (failure = error) });
      pieces = 0;
      for await (const part of result.fullStream) pieces += part.type === 'text-delta' ? 1 : 0;
      if (failure) throw failure;
    } else {
      result = await generateText(request);
    }
    const usage = await result.totalUsage;
    return {
      text: await result.text,
      pieces,
      reasoning: (await result.reasoningText) ?? '',
      calls: (await result.toolCalls).map((c) => ({ id: c.toolCallId, name: c.toolName, args: c.input })),
      finish: { stop: 'stop', 'tool-calls': 'tools' }[await result.finishReason],
      usage: {
        input: usage.inputTokens,
        output: usage.outputTokens,
        cached: usage.inputTokenDetails?.cacheReadTokens ?? usage.cachedInputTokens,
        reasoning: usage.outputTokenDetails?.reasoningTokens ?? usage.reasoningTokens,
      },
      raw: (await result.response).messages,
    };
  };
  return {
    ask,
    async abort(name, controller) {
      const result = streamText({
        model: modelOf(name),
        prompt: 'Hello',
        maxRetries: 0,
        abortSignal: controller.signal,
        onError: () => {},
      });
      for await (const part of result.fullStream) if (part.type === 'text-delta') controller.abort();
      throw new Error('aborted');
    },
    failure: (e) => ({
      status: e.statusCode,
      name: e.name,
      message: e.message,
      retryAfter: e.responseHeaders['retry-after'],
    }),
    errorNames: { 400: 'AI_APICallError', 429: 'AI_APICallError', 503: 'AI_APICallError' },
  };
}

const embedder = (modelOf, options) => async (name, values) =>
  (await embedMany({ model: modelOf(name), values, maxRetries: 0, providerOptions: options })).embeddings;

const openai = createOpenAI({ baseURL, apiKey });
matrix('ai, @ai-sdk/openai', {
  ...driver((name) => openai.chat(name), { openai: { reasoningEffort: 'low' } }),
  async respond(name, stream) {
    const request = { model: openai.responses(name), prompt: 'Hello there', maxRetries: 0 };
    const result = stream ? streamText(request) : await generateText(request);
    const { inputTokens: input, outputTokens: output } = await result.totalUsage;
    return { text: await result.text, usage: { input, output } };
  },
  embed: embedder((name) => openai.textEmbeddingModel(name), { openai: { dimensions: 4 } }),
  reasoningShown: false,
});

const compatible = createOpenAICompatible({
  name: 'concurred',
  baseURL,
  apiKey,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
matrix('ai, @ai-sdk/openai-compatible', {
  ...driver(compatible, { concurred: { reasoningEffort: 'low' } }),
  embed: embedder((name) => compatible.textEmbeddingModel(name), { concurred: { dimensions: 4 } }),
});

matrix('ai, @ai-sdk/anthropic', {
  ...driver(
    (name) => createAnthropic({ baseURL, apiKey })(name),
    { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } },
    // By itself it calls a tool instead, for models whose names it does not know.
    { anthropic: { structuredOutputMode: 'outputFormat' } },
  ),
  missing: withoutMessages,
  counts: ['input', 'output', 'cached'],
});
