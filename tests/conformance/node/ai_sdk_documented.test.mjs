// Vercel's AI SDK in the versions of the product's published acceptance test: ai 3 with @ai-sdk/openai 0.0.66.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import { APICallError, generateObject, generateText, streamText, tool } from 'ai-documented';
import { createOpenAI } from 'ai-sdk-openai-documented';
import { z } from 'zod';

import {
  apiKey, baseURL, client, collect, exhaust, failureOf, fiveTokens, keyOnePerMinute, mock, requestId,
} from './support.mjs';

beforeEach(() => mock.reset());

const model = (name, settings = {}) => createOpenAI({ baseURL, apiKey, ...settings })(name);
const prompt = 'How is the weather?';

/** The tool of the acceptance test, and where it was asked about. */
function weather() {
  const places = [];
  const get_weather = tool({
    description: 'The weather at a place',
    parameters: z.object({ location: z.string() }),
    execute: async ({ location }) => {
      places.push(location);
      return { location, celsius: 21 };
    },
  });
  return { places, tools: { get_weather } };
}

async function parts(result) {
  const all = await collect(result.fullStream);
  return { all, error: all.find((p) => p.type === 'error')?.error };
}

suite('ai 3: answers', () => {
  test('generateText gives text, usage and the request id', async () => {
    const result = await generateText({ model: model('answer'), prompt });
    assert.equal(result.text, fiveTokens);
    assert.equal(result.finishReason, 'stop');
    assert.equal(result.usage.promptTokens, 11);
    assert.equal(result.usage.completionTokens, 5);
    assert.match(result.response.headers['x-request-id'], requestId);
  });

  test('streamText gives the text in pieces', async () => {
    const result = await streamText({ model: model('answer'), prompt });
    const pieces = await collect(result.textStream);
    assert.equal(pieces.join(''), fiveTokens);
    assert.equal(pieces.length, 5);
    assert.equal(await result.finishReason, 'stop');
  });

  test('in strict mode, which asks for it, a stream has usage', async () => {
    const result = await streamText({ model: model('answer', { compatibility: 'strict' }), prompt });
    await collect(result.textStream);
    assert.equal((await result.usage).totalTokens, 16);
  });

  test('generateObject gives an object of the schema', async () => {
    const { object } = await generateObject({
      model: model('echo'),
      mode: 'json',
      schema: z.object({ city: z.string() }),
      prompt: '{"city":"Paris"}',
    });
    assert.deepEqual(object, { city: 'Paris' });
    assert.equal((await mock.lastRequest()).body.response_format.type, 'json_object');
  });
});

suite('ai 3: tools', () => {
  test('generateText goes through the steps of an agent', async () => {
    const { places, tools } = weather();
    const result = await generateText({ model: model('calls-tool'), prompt, tools, maxSteps: 3 });
    assert.deepEqual(places, ['Paris']);
    assert.equal(result.steps.length, 2);
    assert.ok(result.text.length > 0);
  });

  test('two calls of one step are both executed', async () => {
    const { places, tools } = weather();
    const result = await streamText({ model: model('calls-two-tools'), prompt, tools, maxSteps: 3 });
    assert.equal((await parts(result)).error, undefined);
    assert.equal(places.length, 2);
    assert.equal(await result.finishReason, 'stop');
  });

  for (const alias of ['claude', 'gpt', 'gemini', 'deepseek']) {
    test(`acceptance: streamText with get_weather and maxSteps 3, ${alias}`, async (t) => {
      const offered = await collect(await client().models.list());
      if (!offered.some((m) => m.id === alias)) return t.skip(`${alias} is not offered by this gateway`);
      const { places, tools } = weather();
      const result = await streamText({ model: model(alias), prompt, tools, maxSteps: 3 });
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

suite('ai 3: errors and endings', () => {
  const rows = [
    ['no-such-model', 400, false],
    ['status-400', 400, false],
    ['status-404', 404, false],
    ['status-429', 429, true],
    ['status-500', 502, true],
    ['status-503', 503, true],
  ];
  for (const [name, statusCode, isRetryable] of rows) {
    test(`${name}: APICallError with status ${statusCode}`, async () => {
      const streamed = async () => {
        const { error } = await parts(await streamText({ model: model(name), prompt, maxRetries: 0 }));
        throw error;
      };
      for (const e of [
        await failureOf(generateText({ model: model(name), prompt, maxRetries: 0 })),
        await failureOf(streamed()),
      ]) {
        assert.ok(APICallError.isInstance(e), String(e));
        assert.equal(e.statusCode, statusCode);
        assert.equal(e.isRetryable, isRetryable);
        assert.equal(e.message, e.data.error.message);
        assert.match(e.responseHeaders['x-request-id'], requestId);
      }
    });
  }

  test('a key that is not valid: 401', async () => {
    const e = await failureOf(generateText({ model: model('answer', { apiKey: 'ck_unknown' }), prompt, maxRetries: 0 }));
    assert.equal(e.statusCode, 401);
  });

  test('a limit that is used up: 429 with the wait', async () => {
    await exhaust(keyOnePerMinute, 1);
    const e = await failureOf(
      generateText({ model: model('answer', { apiKey: keyOnePerMinute }), prompt, maxRetries: 0 }),
    );
    assert.equal(e.statusCode, 429);
    assert.ok(Number(e.responseHeaders['retry-after']) > 0);
  });

  for (const name of ['fails-midway', 'breaks-midway']) {
    test(`${name}: the text so far, then an error part`, async () => {
      const { all, error } = await parts(await streamText({ model: model(name), prompt, maxRetries: 0 }));
      const text = all.filter((p) => p.type === 'text-delta').map((p) => p.textDelta).join('');
      assert.ok(text.length > 0 && fiveTokens.startsWith(text), text);
      assert.equal(error.type, 'server_error');
      assert.ok(error.message.length > 0);
    });
  }

  test('abort in the middle of a stream stops the provider', async () => {
    const controller = new AbortController();
    const result = await streamText({ model: model('slow'), prompt, maxRetries: 0, abortSignal: controller.signal });
    await failureOf(
      (async () => {
        for await (const part of result.fullStream) {
          if (part.type === 'error') throw part.error;
          controller.abort();
        }
      })(),
    );
    const ledger = await mock.when((l) => l.aborted === 1 && l.in_progress === 0);
    assert.equal(ledger.aborts[0].stage, 'streaming');
  });
});
