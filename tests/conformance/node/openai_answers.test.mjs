// OpenAI's SDK for Node: models, completions and streams.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { modelOf, providers } from './matrix.mjs';
import { apiKey, client, collect, fiveTokens, messages, mock, requestId, textOf } from './support.mjs';

beforeEach(() => mock.reset());

suite('openai for Node: models', () => {
  test('the list can be iterated and names aliases and models', async () => {
    const models = await collect(await client().models.list());
    const answer = models.find((m) => m.id === 'answer');
    assert.equal(answer.object, 'model');
    assert.equal(typeof answer.created, 'number');
    assert.equal(typeof answer.owned_by, 'string');
    assert.equal(models.find((m) => m.id === 'gpt').alias_of, 'gpt-5.2');
    assert.ok(models.some((m) => m.id === 'gpt-5.2'));
  });

  test('a model can be retrieved, also one with a slash in its name', async () => {
    const model = await client().models.retrieve('answer');
    assert.equal(model.id, 'answer');
    assert.match(model._request_id, requestId);
    assert.equal((await client().models.retrieve('deepseek/deepseek-v3.2')).id, 'deepseek/deepseek-v3.2');
  });
});

suite('openai for Node: completions', () => {
  test('an answer has content, reason, usage and request id', async () => {
    const answer = await client().chat.completions.create({ model: 'answer', messages });
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.choices[0].message.role, 'assistant');
    assert.equal(answer.choices[0].message.content, fiveTokens);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.equal(answer.usage.prompt_tokens, 11);
    assert.equal(answer.usage.completion_tokens, 5);
    assert.equal(answer.usage.total_tokens, 16);
    assert.match(answer._request_id, requestId);
  });

  test('details of usage arrive', async () => {
    const { usage } = await client().chat.completions.create({ model: 'details', messages });
    assert.equal(usage.prompt_tokens_details.cached_tokens, 8);
    assert.equal(usage.completion_tokens_details.reasoning_tokens, 7);
  });

  test('a limit of tokens reaches the provider', async () => {
    const answer = await client().chat.completions.create({ model: 'answer', messages, max_completion_tokens: 2 });
    assert.equal(answer.choices[0].finish_reason, 'length');
    assert.equal(answer.usage.completion_tokens, 2);
  });

  test('an alias answers with the id of its model', async () => {
    const answer = await client().chat.completions.create({ model: 'gpt', messages });
    assert.equal(answer.model, 'gpt-5.2');
  });

  test('headers of the answer can be read', async () => {
    const { data, response, request_id } = await client()
      .chat.completions.create({ model: 'answer', messages })
      .withResponse();
    assert.equal(data.choices[0].message.content, fiveTokens);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.headers.get('x-request-id'), request_id);
    assert.match(response.headers.get('server-timing'), /gateway;dur=/);
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), '1000000');
    assert.match(response.headers.get('x-ratelimit-remaining-requests'), /^\d+$/);
    assert.match(response.headers.get('x-ratelimit-reset-requests'), /^(\d+h)?(\d+m)?\d+(\.\d+)?m?s$/);
  });

  test('fields that are not known here reach the provider, what is the gateway\'s own does not', async () => {
    await client().chat.completions.create({ model: 'answer', messages, seed: 7, metadata: { for: 'test' } });
    const { head, body } = await mock.lastRequest();
    assert.equal(body.seed, 7);
    assert.deepEqual(body.metadata, { for: 'test' });
    assert.deepEqual(body.messages, messages);
    assert.doesNotMatch(head, /x-stainless/i);
    assert.ok(!head.includes(apiKey));
  });

  test('an answer in a schema can be parsed', async () => {
    const city = z.object({ city: z.string() });
    const answer = await client().chat.completions.parse({
      model: 'echo',
      messages: [{ role: 'user', content: '{"city":"Paris"}' }],
      response_format: zodResponseFormat(city, 'city'),
    });
    assert.deepEqual(answer.choices[0].message.parsed, { city: 'Paris' });
    assert.equal((await mock.lastRequest()).body.response_format.json_schema.name, 'city');
  });
});

suite('openai for Node: streams', () => {
  const stream = (model, more = {}) => client().chat.completions.create({ model, messages, stream: true, ...more });

  test('the content arrives, iteration ends, and there is no usage that nobody asked for', async () => {
    const chunks = await collect(await stream('answer'));
    assert.equal(textOf(chunks), fiveTokens);
    assert.ok(chunks.every((c) => c.object === 'chat.completion.chunk'));
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
    assert.ok(chunks.every((c) => c.choices.length === 1 && !c.usage));
  });

  test('usage comes in a chunk of its own when it is asked for', async () => {
    const chunks = await collect(await stream('answer', { stream_options: { include_usage: true } }));
    assert.equal(textOf(chunks), fiveTokens);
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.equal(chunks.at(-1).usage.prompt_tokens, 11);
    assert.equal(chunks.at(-1).usage.completion_tokens, 5);
    assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
  });

  test('the provider is asked for usage in any case', async () => {
    await collect(await stream('answer'));
    assert.equal((await mock.lastRequest()).body.stream_options.include_usage, true);
  });

  test('the head of a stream can be read', async () => {
    const { data, response, request_id } = await client()
      .chat.completions.create({ model: 'answer', messages, stream: true })
      .withResponse();
    assert.match(request_id, requestId);
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    assert.equal(response.headers.get('x-accel-buffering'), 'no');
    assert.equal(textOf(await collect(data)), fiveTokens);
  });

  test('text that is cut anywhere on its way comes out whole', async () => {
    const content = 'Grüße aus Köln: 😀 — "ein" \\ Satz\nund noch einer';
    const chunks = await collect(await stream('echo-in-shreds', { messages: [{ role: 'user', content }] }));
    assert.equal(textOf(chunks), content);
  });

  test('the helper with events puts the answer together', async () => {
    const runner = client().chat.completions.stream({
      model: 'answer',
      messages,
      stream_options: { include_usage: true },
    });
    const pieces = [];
    runner.on('content', (delta) => pieces.push(delta));
    const answer = await runner.finalChatCompletion();
    assert.equal(pieces.join(''), fiveTokens);
    assert.equal(answer.choices[0].message.content, fiveTokens);
    assert.equal((await runner.totalUsage()).total_tokens, 16);
  });
});

suite('openai for Node: every provider', () => {
  for (const provider of providers) {
    test(`a picture by its address reaches ${provider}`, async () => {
      const url = 'https://example.com/cat.png';
      const content = [{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url } }];
      const model = modelOf('answer', provider);
      const answer = await client().chat.completions.create({ model, messages: [{ role: 'user', content }] });
      assert.equal(answer.choices[0].message.content, fiveTokens);
      assert.ok(JSON.stringify((await mock.lastRequest()).body).includes(`"${url}"`));
      assert.deepEqual((await mock.ledger()).violation_list, []);
    });

    test(`a whole answer of ${provider} in the place of a stream is a stream`, async () => {
      const runner = client().chat.completions.stream({
        model: modelOf('no-stream', provider),
        messages,
        stream_options: { include_usage: true },
      });
      const pieces = [];
      runner.on('content', (delta) => pieces.push(delta));
      const { choices } = await runner.finalChatCompletion();
      assert.equal(pieces.join(''), fiveTokens);
      assert.equal(choices[0].finish_reason, 'stop');
      assert.equal((await runner.totalUsage()).total_tokens, 16);
    });
  }
});
