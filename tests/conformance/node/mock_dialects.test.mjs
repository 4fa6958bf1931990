// OpenAI's and Anthropic's SDKs against the mock provider itself: it speaks as those providers do, beyond what the
// gateway asks of it.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { weatherSchema } from './matrix.mjs';
import { collect, failureOf, fiveTokens, mock, mockURL } from './support.mjs';

beforeEach(() => mock.reset());
afterEach(async () => assert.deepEqual((await mock.ledger()).violation_list, []));

suite('openai: the mock provider', () => {
  const openai = () => new OpenAI({ apiKey: 'sk-mock-strict=1', baseURL: `${mockURL}/v1`, maxRetries: 0 });
  const tool = { type: 'function', name: 'get_weather', parameters: weatherSchema, strict: true };

  test('a response', async () => {
    const answer = await openai().responses.create({ model: 'mock-tokens=5;prompt=11', input: 'Hello' });
    assert.equal(answer.output_text, fiveTokens);
    assert.equal(answer.usage.total_tokens, 16);
  });

  test('a response in events, which the helper puts together', async () => {
    const stream = openai().responses.stream({ model: 'mock-tokens=5', input: 'Hello' });
    const deltas = (await collect(stream)).filter((event) => event.type === 'response.output_text.delta');
    assert.equal(deltas.map((event) => event.delta).join(''), fiveTokens);
    assert.equal((await stream.finalResponse()).output_text, fiveTokens);
  });

  test('calls of a response in events', async () => {
    const stream = openai().responses.stream({ model: 'mock-tool=2;chunk=3', input: 'Hello', tools: [tool] });
    await collect(stream);
    const { output } = await stream.finalResponse();
    assert.deepEqual(output.map((item) => JSON.parse(item.arguments).location), ['Paris', 'Tokyo']);
  });

  test('embeddings, which the SDK asks for in Base64', async () => {
    const { data } = await openai().embeddings.create({ model: 'mock', input: ['one', 'two'], dimensions: 4 });
    assert.deepEqual(data.map((one) => one.embedding.length), [4, 4]);
    assert.ok(data[0].embedding.every((value) => value >= -1 && value <= 1));
    assert.notDeepEqual(Array.from(data[0].embedding), Array.from(data[1].embedding));
  });
});

suite('anthropic: the mock provider', () => {
  const anthropic = () => new Anthropic({ apiKey: 'sk-ant-mock', baseURL: mockURL, maxRetries: 0 });
  const model = (settings) => `claude-sonnet-4-5/mock-${settings}`;
  const hello = [{ role: 'user', content: 'Hello' }];

  test('thinking and a call, which come back as they were', async () => {
    const ask = (messages) =>
      anthropic()
        .messages.stream({
          model: model('tool=1;reasoning=4'),
          max_tokens: 2048,
          thinking: { type: 'enabled', budget_tokens: 1024 },
          tools: [{ name: 'get_weather', input_schema: weatherSchema }],
          messages,
        })
        .finalMessage();
    const { content, stop_reason } = await ask(hello);
    assert.equal(stop_reason, 'tool_use');
    assert.deepEqual(content.map((block) => block.type), ['thinking', 'tool_use']);
    const result = { type: 'tool_result', tool_use_id: content[1].id, content: '21' };
    const last = await ask([...hello, { role: 'assistant', content }, { role: 'user', content: [result] }]);
    assert.equal(last.stop_reason, 'end_turn');
  });

  test('models and a count', async () => {
    const names = (await collect(await anthropic().models.list())).map((one) => one.id);
    assert.ok(names.includes('mock'), String(names));
    assert.ok((await anthropic().messages.countTokens({ model: 'mock', messages: hello })).input_tokens > 0);
  });

  test('overload is an error of its class', async () => {
    const e = await failureOf(
      anthropic().messages.create({ model: model('status=529'), max_tokens: 9, messages: hello }),
    );
    assert.equal(e.status, 529);
    assert.equal(e.error.error.type, 'overloaded_error');
  });
});
