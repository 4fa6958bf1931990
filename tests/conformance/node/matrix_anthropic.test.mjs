// Anthropic's SDK for Node with every provider, through /api/v1/messages.

import Anthropic from '@anthropic-ai/sdk';

import { matrix, withoutMessages } from './matrix.mjs';
import { apiKey, baseURL } from './support.mjs';

// The SDK appends /v1/messages.
const client = () => new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ''), apiKey, maxRetries: 0 });

function toMessages(talk) {
  return talk.map((turn) => {
    if (turn.answer) return { role: 'assistant', content: turn.answer.raw };
    if (turn.results) {
      const content = turn.results.map(({ id, content }) => ({ type: 'tool_result', tool_use_id: id, content }));
      return { role: 'user', content };
    }
    if (!turn.image) return { role: 'user', content: turn.user };
    const source = { type: 'base64', media_type: 'image/png', data: turn.image };
    return { role: 'user', content: [{ type: 'image', source }, { type: 'text', text: turn.user }] };
  });
}

async function ask(model, { talk, stream, tools, schema, effort }) {
  const request = {
    model,
    max_tokens: 2048,
    messages: toMessages(talk),
    ...(tools && {
      tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
    }),
    ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
    ...(effort && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
  };
  let message;
  let pieces;
  if (stream) {
    const helper = client().messages.stream(request);
    pieces = 0;
    helper.on('text', () => ++pieces);
    message = await helper.finalMessage();
  } else {
    message = await client().messages.create(request);
  }
  const { usage } = message;
  const ofType = (type) => message.content.filter((block) => block.type === type);
  return {
    text: ofType('text').map((block) => block.text).join(''),
    pieces,
    reasoning: ofType('thinking').map((block) => block.thinking).join(''),
    calls: ofType('tool_use').map(({ id, name, input }) => ({ id, name, args: input })),
    finish: { end_turn: 'stop', tool_use: 'tools' }[message.stop_reason],
    usage: {
      input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached: usage.cache_read_input_tokens,
    },
    raw: message.content,
  };
}

matrix('@anthropic-ai/sdk (Node)', {
  ask,
  missing: withoutMessages,
  counts: ['input', 'output', 'cached'],
  async abort(model, controller) {
    const stream = await client().messages.create(
      { model, max_tokens: 4096, messages: toMessages([{ user: 'Hello' }]), stream: true },
      { signal: controller.signal },
    );
    for await (const event of stream) if (event.type === 'content_block_delta') controller.abort();
    throw new Error('the stream ended');
  },
  failure: (e) => ({ status: e.status, name: e.constructor.name, retryAfter: e.headers.get('retry-after') }),
  errorNames: { 400: 'BadRequestError', 429: 'RateLimitError', 502: 'InternalServerError', 503: 'ServiceUnavailableError' },
});
