// OpenAI's SDK for Node with every provider.

import { matrix } from './matrix.mjs';
import { client } from './support.mjs';

function toMessages(talk) {
  return talk.flatMap((turn) => {
    if (turn.answer) return [turn.answer.raw];
    if (turn.results) return turn.results.map(({ id, content }) => ({ role: 'tool', tool_call_id: id, content }));
    if (!turn.image) return [{ role: 'user', content: turn.user }];
    const url = `data:image/png;base64,${turn.image}`;
    return [{ role: 'user', content: [{ type: 'text', text: turn.user }, { type: 'image_url', image_url: { url } }] }];
  });
}

/** Streams are read twice: by the SDK's helper, and chunk by chunk for what the helper does not know. */
async function ask(model, { talk, stream, tools, schema, effort }) {
  const request = {
    model,
    messages: toMessages(talk),
    ...(tools && { tools: tools.map((f) => ({ type: 'function', function: f })) }),
    ...(schema && { response_format: { type: 'json_schema', json_schema: { name: 'city', schema, strict: true } } }),
    ...(effort && { reasoning_effort: effort }),
  };
  let completion;
  let pieces;
  let reasoning;
  if (stream) {
    const helper = client().chat.completions.stream({ ...request, stream_options: { include_usage: true } });
    pieces = 0;
    reasoning = '';
    for await (const chunk of helper) {
      pieces += chunk.choices[0]?.delta.content ? 1 : 0;
      reasoning += chunk.choices[0]?.delta.reasoning_content ?? '';
    }
    completion = await helper.finalChatCompletion();
  } else {
    completion = await client().chat.completions.create(request);
    reasoning = completion.choices[0].message.reasoning_content;
  }
  const [{ message, finish_reason }] = completion.choices;
  const { usage } = completion;
  return {
    text: message.content,
    pieces,
    reasoning,
    calls: (message.tool_calls ?? []).map((c) => ({
      id: c.id,
      name: c.function.name,
      args: JSON.parse(c.function.arguments),
    })),
    finish: { stop: 'stop', tool_calls: 'tools' }[finish_reason] ?? finish_reason,
    usage: {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens,
      reasoning: usage.completion_tokens_details?.reasoning_tokens,
    },
    raw: message,
  };
}

matrix('openai (Node)', {
  ask,
  async abort(model, controller) {
    const stream = await client().chat.completions.create(
      { model, messages: toMessages([{ user: 'Hello' }]), stream: true },
      { signal: controller.signal },
    );
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) controller.abort();
    throw new Error('the stream ended');
  },
  async respond(model, stream) {
    const request = { model, input: 'Hello there' };
    const answer = stream
      ? await client().responses.stream(request).finalResponse()
      : await client().responses.create(request);
    return { text: answer.output_text, usage: { input: answer.usage.input_tokens, output: answer.usage.output_tokens } };
  },
  async embed(model, input) {
    const { data } = await client().embeddings.create({ model, input, dimensions: 4 });
    return data.map((one) => one.embedding);
  },
  failure: (e) => ({
    status: e.status,
    name: e.constructor.name,
    message: e.message,
    retryAfter: e.headers.get('retry-after'),
  }),
  errorNames: { 400: 'BadRequestError', 429: 'RateLimitError', 502: 'InternalServerError', 503: 'InternalServerError' },
});
