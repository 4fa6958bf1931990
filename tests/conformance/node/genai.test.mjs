// Google's SDK. It does not speak to the gateway, which has no endpoint of Google's dialect: it shows that the mock
// provider speaks as Google does, and that what the gateway sends to Google is what the SDK would send.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';

import { ApiError, GoogleGenAI } from '@google/genai';

import { citySchema, picture, weatherSchema } from './matrix.mjs';
import { client, collect, failureOf, fiveTokens, mock, mockURL } from './support.mjs';

const genai = () => new GoogleGenAI({ apiKey: 'AIzaMock', httpOptions: { baseUrl: mockURL } });
const model = (settings) => `gemini-3-pro-preview/mock-${settings}`;
const contents = 'Hello there';
const tools = [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: weatherSchema }] }];

beforeEach(() => mock.reset());
afterEach(async () => assert.deepEqual((await mock.ledger()).violation_list, []));

suite('genai: the mock provider speaks as Google does', () => {
  test('an answer with its usage', async () => {
    const answer = await genai().models.generateContent({ model: model('tokens=5;prompt=11;reasoning=3'), contents });
    assert.equal(answer.text, fiveTokens);
    assert.equal(answer.candidates[0].finishReason, 'STOP');
    assert.equal(answer.usageMetadata.promptTokenCount, 11);
    assert.equal(answer.usageMetadata.thoughtsTokenCount, 3);
    assert.equal(answer.usageMetadata.totalTokenCount, 19);
  });

  test('a stream, its thoughts and its counts so far', async () => {
    const stream = await genai().models.generateContentStream({
      model: model('tokens=5;prompt=11;reasoning=4'),
      contents,
      config: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'LOW' } },
    });
    const chunks = await collect(stream);
    assert.equal(chunks.map((c) => c.text ?? '').join(''), fiveTokens);
    const thoughts = chunks.flatMap((c) => c.candidates[0].content.parts).filter((part) => part.thought);
    assert.equal(thoughts.map((part) => part.text).join(''), 'Let me think: so');
    assert.deepEqual(chunks.map((c) => c.usageMetadata.candidatesTokenCount), [0, 0, 0, 0, 1, 2, 3, 4, 5, 5]);
  });

  test('calls, whose signature comes back with their responses', async () => {
    const ask = (talk) =>
      genai().models.generateContent({ model: model('tool=2'), contents: talk, config: { tools } });
    const question = { role: 'user', parts: [{ text: contents }] };
    const answer = await ask([question]);
    assert.deepEqual(answer.functionCalls.map((call) => call.args.location), ['Paris', 'Tokyo']);
    const parts = answer.functionCalls.map(({ name }) => ({ functionResponse: { name, response: { celsius: 21 } } }));
    const last = await ask([question, answer.candidates[0].content, { role: 'user', parts }]);
    assert.ok(last.text.length > 0);
  });

  test('a refusal is an ApiError with its status', async () => {
    const e = await failureOf(genai().models.generateContent({ model: model('status=429;retry-after=7'), contents }));
    assert.ok(e instanceof ApiError, String(e));
    assert.equal(e.status, 429);
    assert.match(e.message, /RESOURCE_EXHAUSTED.*"retryDelay":"7s"/);
  });

  test('models and a count', async () => {
    const names = (await collect(await genai().models.list())).map((one) => one.name);
    assert.ok(names.includes('models/mock'), String(names));
    assert.ok((await genai().models.countTokens({ model: 'mock', contents })).totalTokens > 0);
  });
});

/** The call of the SDK that says the same as a recorded request. */
function sameCall({ head, body }) {
  const [, name, stream] = /models\/([^:]+):(g|streamG)enerateContent/.exec(head);
  const { contents: talk, generationConfig, ...config } = body;
  const request = { model: decodeURIComponent(name), contents: talk, config: { ...generationConfig, ...config } };
  return stream === 'g' ? genai().models.generateContent(request) : genai().models.generateContentStream(request);
}

/** A body without what says nothing: empty configurations, and how the names of types are written. */
function plain(body) {
  const { generationConfig, ...rest } = body;
  const schema = generationConfig?.responseSchema;
  if (schema) generationConfig.responseSchema = JSON.parse(JSON.stringify(schema).toLowerCase());
  return Object.keys(generationConfig ?? {}).length > 0 ? { ...rest, generationConfig } : rest;
}

suite('genai: what the gateway sends is what the SDK sends', () => {
  const user = { role: 'user', content: contents };
  const weather = { type: 'function', function: { name: 'get_weather', parameters: weatherSchema, strict: true } };
  const picked = { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } };
  const call = (id, location) => ({
    id,
    type: 'function',
    function: { name: 'get_weather', arguments: JSON.stringify({ location }) },
  });
  const rows = {
    'system and user': { messages: [{ role: 'system', content: 'Be brief.' }, user], temperature: 0.5, top_p: 0.9 },
    limits: { messages: [user], max_completion_tokens: 500, stop: ['END'], seed: 7 },
    'an image': { messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, picked] }] },
    'a tool that must be called': { messages: [user], tools: [weather], tool_choice: 'required' },
    'calls and their results': {
      messages: [
        user,
        { role: 'assistant', content: null, tool_calls: [call('call_a', 'Paris'), call('call_b', 'Lima')] },
        { role: 'tool', tool_call_id: 'call_b', content: '{"celsius":25}' },
        { role: 'tool', tool_call_id: 'call_a', content: 'warm' },
      ],
      tools: [weather],
    },
    'an answer in a schema': {
      messages: [user],
      response_format: { type: 'json_schema', json_schema: { name: 'city', schema: citySchema, strict: true } },
    },
    reasoning: { messages: [user], reasoning_effort: 'high' },
  };
  for (const [what, request] of Object.entries(rows)) {
    for (const stream of [false, true]) {
      test(`${what}, ${stream ? 'streamed' : 'plain'}`, async () => {
        const answer = await client().chat.completions.create({ model: 'answer@google', stream, ...request });
        if (stream) await collect(answer);
        const ours = await mock.lastRequest();
        const theirs = await sameCall(ours);
        if (stream) await collect(theirs);
        const { body } = await mock.lastRequest();
        assert.equal((await mock.ledger()).requests, 2);
        assert.deepEqual(plain(ours.body), plain(body));
      });
    }
  }
});
