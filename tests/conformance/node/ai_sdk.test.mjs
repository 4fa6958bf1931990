// Vercel's AI SDK, the newest that runs on Node 20.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateObject, generateText, RetryError, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import {
  apiKey, baseURL, client, collect, exhaust, failureOf, fiveTokens, keyOnePerMinute, keySixtyPerMinute, mock, pauseOf,
  recordingFetch, requestId, untilLucky,
} from './support.mjs';

beforeEach(() => mock.reset());

// `.chat`: by itself this SDK calls OpenAI's Responses API.
const model = (name, settings = {}) => createOpenAI({ baseURL, apiKey, ...settings }).chat(name);
const prompt = 'How is the weather?';

/** The tool of the acceptance test, and where it was asked about. */
function weather() {
  const places = [];
  const get_weather = tool({
    description: 'The weather at a place',
    inputSchema: z.object({ location: z.string() }),
    execute: async ({ location }) => {
      places.push(location);
      return { location, celsius: 21 };
    },
  });
  return { places, tools: { get_weather } };
}

/** Reads a stream to its end, errors included. */
async function parts(result) {
  const all = await collect(result.fullStream);
  return { all, error: all.find((p) => p.type === 'error')?.error };
}

/** A stream whose errors are read and not printed. */
const quiet = (options) => streamText({ prompt, maxRetries: 0, onError: () => {}, ...options });

suite('ai: answers', () => {
  test('generateText gives text, usage and the request id', async () => {
    const result = await generateText({ model: model('answer'), prompt });
    assert.equal(result.text, fiveTokens);
    assert.equal(result.finishReason, 'stop');
    assert.equal(result.usage.inputTokens, 11);
    assert.equal(result.usage.outputTokens, 5);
    assert.match(result.response.headers['x-request-id'], requestId);
  });

  test('streamText gives the text in pieces, and usage', async () => {
    const result = streamText({ model: model('answer'), prompt });
    const pieces = await collect(result.textStream);
    assert.equal(pieces.join(''), fiveTokens);
    assert.equal(pieces.length, 5);
    assert.equal((await result.totalUsage).totalTokens, 16);
    assert.equal(await result.finishReason, 'stop');
  });

  test('generateObject gives an object of the schema', async () => {
    const { object } = await generateObject({
      model: model('echo'),
      schema: z.object({ city: z.string() }),
      prompt: '{"city":"Paris"}',
    });
    assert.deepEqual(object, { city: 'Paris' });
    assert.equal((await mock.lastRequest()).body.response_format.type, 'json_schema');
  });

  test('an image in a message reaches the provider', async () => {
    const url = 'https://example.com/cat.png';
    await generateText({
      model: model('answer'),
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image', image: new URL(url) }] }],
    });
    assert.equal((await mock.lastRequest()).body.messages[0].content[1].image_url.url, url);
  });
});

suite('ai: tools', () => {
  test('generateText goes through the steps of an agent', async () => {
    const { places, tools } = weather();
    const result = await generateText({ model: model('calls-tool'), prompt, tools, stopWhen: stepCountIs(3) });
    assert.deepEqual(places, ['Paris']);
    assert.equal(result.steps.length, 2);
    assert.equal(result.finishReason, 'stop');
    assert.ok(result.text.length > 0);
  });

  test('two calls of one step are both executed', async () => {
    const { places, tools } = weather();
    const result = streamText({ model: model('calls-two-tools'), prompt, tools, stopWhen: stepCountIs(3) });
    assert.equal((await parts(result)).error, undefined);
    assert.equal(places.length, 2);
    assert.equal((await result.steps)[0].toolResults.length, 2);
    assert.equal(await result.finishReason, 'stop');
  });

  for (const alias of ['claude', 'gpt', 'gemini', 'deepseek']) {
    test(`acceptance: streamText with get_weather and three steps, ${alias}`, async (t) => {
      const offered = await collect(await client().models.list());
      if (!offered.some((m) => m.id === alias)) return t.skip(`${alias} is not offered by this gateway`);
      const { places, tools } = weather();
      const result = streamText({ model: model(alias), prompt, tools, stopWhen: stepCountIs(3) });
      assert.equal((await parts(result)).error, undefined);
      assert.deepEqual(places, ['Paris']);
      const steps = await result.steps;
      assert.equal(steps.length, 2);
      assert.equal(steps[0].finishReason, 'tool-calls');
      assert.match(steps[0].toolCalls[0].toolCallId, /^(call|toolu)_/); // Anthropic's own stay
      assert.equal(steps[1].finishReason, 'stop');
      assert.ok((await result.text).length > 0);
    });
  }
});

suite('ai: errors', () => {
  const rows = [
    ['no-such-model', 400, false],
    ['status-400', 400, false],
    ['status-401', 502, true],
    ['status-404', 404, false],
    ['status-429', 429, true],
    ['status-500', 502, true],
    ['status-503', 503, true],
  ];
  for (const [name, statusCode, isRetryable] of rows) {
    test(`${name}: APICallError with status ${statusCode}`, async () => {
      for (const e of [
        await failureOf(generateText({ model: model(name), prompt, maxRetries: 0 })),
        (await parts(quiet({ model: model(name) }))).error,
      ]) {
        assert.ok(APICallError.isInstance(e), String(e));
        assert.equal(e.statusCode, statusCode);
        assert.equal(e.isRetryable, isRetryable);
        assert.equal(e.message, e.data.error.message);
        assert.match(e.responseHeaders['x-request-id'], requestId);
      }
    });
  }

  test('a key that is not valid: 401 with its code', async () => {
    const e = await failureOf(generateText({ model: model('answer', { apiKey: 'ck_unknown' }), prompt, maxRetries: 0 }));
    assert.equal(e.statusCode, 401);
    assert.equal(e.data.error.code, 'INVALID_API_KEY');
  });

  test('a limit that is used up: 429 with the wait', async () => {
    await exhaust(keyOnePerMinute, 1);
    const e = await failureOf(
      generateText({ model: model('answer', { apiKey: keyOnePerMinute }), prompt, maxRetries: 0 }),
    );
    assert.equal(e.statusCode, 429);
    assert.equal(e.data.error.code, 'RATE_LIMIT_EXCEEDED');
    assert.ok(Number(e.responseHeaders['retry-after-ms']) > 0);
    assert.equal(e.responseHeaders['x-ratelimit-remaining-requests'], '0');
  });

  test('a base URL with /v1 alone: the message says the right one', async () => {
    const lost = model('answer', { baseURL: baseURL.replace('/api/v1', '/v1') });
    const e = await failureOf(generateText({ model: lost, prompt, maxRetries: 0 }));
    assert.equal(e.statusCode, 404);
    assert.match(e.message, /\/api\/v1/);
  });

  for (const name of ['fails-midway', 'breaks-midway']) {
    test(`${name}: the text so far, then an error part`, async () => {
      const { all, error } = await parts(quiet({ model: model(name) }));
      const text = all.filter((p) => p.type === 'text-delta').map((p) => p.text).join('');
      assert.ok(text.length > 0 && fiveTokens.startsWith(text), text);
      assert.equal(error.type, 'server_error');
      assert.ok(error.message.length > 0);
    });
  }
});

suite('ai: endings', () => {
  test('abort in the middle of a stream stops the provider', async () => {
    const controller = new AbortController();
    const result = quiet({ model: model('slow'), abortSignal: controller.signal });
    const seen = [];
    for await (const part of result.fullStream) {
      seen.push(part.type);
      if (part.type === 'text-delta') controller.abort();
    }
    assert.equal(seen.at(-1), 'abort');
    const ledger = await mock.when((l) => l.aborted === 1 && l.in_progress === 0);
    assert.equal(ledger.aborts[0].stage, 'streaming');
  });

  test('abort while nothing has come stops the provider', async () => {
    const controller = new AbortController();
    const failure = failureOf(
      generateText({ model: model('hangs'), prompt, maxRetries: 0, abortSignal: controller.signal }),
    );
    await mock.when((l) => l.in_progress === 1);
    controller.abort();
    assert.equal((await failure).name, 'AbortError');
    const ledger = await mock.when((l) => l.aborted === 1 && l.in_progress === 0);
    assert.equal(ledger.aborts[0].stage, 'waiting');
  });

  test('a refusal is repeated after the wait that retry-after-ms tells', async () => {
    const ask = async () => {
      const { attempts, fetch } = recordingFetch();
      const result = await generateText({ model: model('busy-once', { fetch }), prompt });
      assert.equal(result.text, fiveTokens);
      return attempts;
    };
    const attempts = await untilLucky(ask, (made) => pauseOf(made) >= 1000);
    assert.deepEqual(attempts.map((a) => a.status), [429, 200]);
    // By itself it would wait two seconds.
    assert.ok(pauseOf(attempts) >= 59 && pauseOf(attempts) < 1000, String(pauseOf(attempts)));
    assert.equal((await mock.ledger()).requests, 2);
  });

  test('a key over its limit is served after the wait it was told', async () => {
    const ask = async () => {
      const { attempts, fetch } = recordingFetch();
      await exhaust(keySixtyPerMinute, 600);
      const result = await generateText({ model: model('answer', { apiKey: keySixtyPerMinute, fetch }), prompt });
      assert.equal(result.text, fiveTokens);
      return attempts;
    };
    const attempts = await untilLucky(ask, (made) => made[0].status === 200);
    assert.deepEqual(attempts.map((a) => a.status), [429, 200]);
    const told = Number(attempts[0].headers.get('retry-after-ms'));
    assert.ok(pauseOf(attempts) >= told - 1, `${pauseOf(attempts)} of ${told}`);
    assert.equal((await mock.ledger()).requests, 1);
  });

  test('what keeps failing ends in RetryError after three attempts', async () => {
    const { attempts, fetch } = recordingFetch();
    const e = await failureOf(
      generateText({ model: model('overloaded-always', { fetch }), prompt, maxRetries: 2 }),
    );
    assert.ok(RetryError.isInstance(e), String(e));
    assert.equal(e.lastError.statusCode, 503);
    assert.equal(attempts.length, 3);
  });
});
