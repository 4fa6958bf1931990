// OpenAI's SDK for Node: errors and what can be read from them.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import OpenAI from 'openai';

import {
  baseURL, client, collect, exhaust, failureOf, fiveTokens, keyOnePerMinute, messages, mock, requestId, textOf,
} from './support.mjs';

beforeEach(() => mock.reset());

const ask = (model, more = {}) => client().chat.completions.create({ model, messages, ...more });

/** Checks class and fields of an error that came as an HTTP answer. */
function check(e, kind, expected) {
  assert.equal(e.constructor, kind);
  for (const [field, value] of Object.entries(expected)) assert.equal(e[field], value, field);
  assert.match(e.requestID, requestId);
  assert.equal(e.requestID, e.headers.get('x-request-id'));
  assert.ok(e.error.message.length > 0);
  assert.equal(typeof e.error.details, 'object');
}

suite('openai for Node: errors of the gateway', () => {
  test('a key that is not valid: AuthenticationError', async () => {
    const e = await failureOf(client({ apiKey: 'ck_thisKeyDoesNotExist' }).models.list());
    check(e, OpenAI.AuthenticationError, { status: 401, code: 'INVALID_API_KEY', type: 'authentication_error' });
    assert.match(e.headers.get('www-authenticate'), /^Bearer/);
  });

  test('a limit that is used up: RateLimitError with all that is needed to wait', async () => {
    await exhaust(keyOnePerMinute, 1);
    const e = await failureOf(client({ apiKey: keyOnePerMinute }).chat.completions.create({ model: 'answer', messages }));
    check(e, OpenAI.RateLimitError, { status: 429, code: 'RATE_LIMIT_EXCEEDED', type: 'rate_limit_error' });
    const header = (name) => Number(e.headers.get(name));
    assert.ok(header('retry-after') >= 1 && header('retry-after') <= 60);
    assert.ok(header('retry-after-ms') >= 1 && header('retry-after-ms') <= 60_000);
    assert.ok(header('retry-after-ms') <= header('retry-after') * 1000);
    assert.equal(header('x-ratelimit-limit'), 1);
    assert.equal(header('x-ratelimit-remaining'), 0);
    assert.ok(header('x-ratelimit-reset') >= Math.floor(Date.now() / 1000));
    assert.equal(header('x-ratelimit-limit-requests'), 1);
    assert.equal(header('x-ratelimit-remaining-requests'), 0);
    assert.match(e.headers.get('x-ratelimit-reset-requests'), /^(\d+m)?\d+(\.\d+)?m?s$/);
    assert.equal(e.error.details.retryAfter, header('retry-after'));
    assert.equal((await mock.ledger()).requests, 0);
  });

  test('a model that does not exist: BadRequestError that names the field', async () => {
    const e = await failureOf(ask('no-such-model'));
    check(e, OpenAI.BadRequestError, { status: 400, code: 'INVALID_MODEL', param: 'model', type: 'invalid_request_error' });
    assert.match(e.message, /no-such-model/);
  });

  test('a field that is missing: BadRequestError that names it', async () => {
    const e = await failureOf(client().chat.completions.create({ model: 'answer' }));
    check(e, OpenAI.BadRequestError, { status: 400, code: 'MISSING_REQUIRED_FIELD', param: 'messages' });
  });

  test('a model that cannot be retrieved: NotFoundError', async () => {
    check(await failureOf(client().models.retrieve('no-such-model')), OpenAI.NotFoundError, { status: 404, code: 'NOT_FOUND' });
  });

  test('an API that is not offered: NotFoundError', async () => {
    const e = await failureOf(client().moderations.create({ input: 'Hello' }));
    check(e, OpenAI.NotFoundError, { status: 404, code: 'NOT_FOUND' });
  });

  test('a base URL with /v1 alone: the message says the right one', async () => {
    const e = await failureOf(
      client({ baseURL: baseURL.replace('/api/v1', '/v1') }).chat.completions.create({ model: 'answer', messages }),
    );
    check(e, OpenAI.NotFoundError, { status: 404 });
    assert.match(e.message, /\/api\/v1/);
  });
});

suite('openai for Node: errors of the provider', () => {
  const rows = [
    ['status-400', OpenAI.BadRequestError, { status: 400, type: 'invalid_request_error' }],
    ['status-400-context', OpenAI.BadRequestError, { status: 400, code: 'context_length_exceeded' }],
    ['status-401', OpenAI.InternalServerError, { status: 502, code: 'upstream_authentication_failed' }],
    ['status-403', OpenAI.InternalServerError, { status: 502, code: 'upstream_authentication_failed' }],
    ['status-404', OpenAI.NotFoundError, { status: 404, code: 'model_not_found' }],
    ['status-409', OpenAI.ConflictError, { status: 409 }],
    ['status-422', OpenAI.UnprocessableEntityError, { status: 422 }],
    ['status-429', OpenAI.RateLimitError, { status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' }],
    ['status-429-quota', OpenAI.RateLimitError, { status: 429, code: 'insufficient_quota', type: 'insufficient_quota' }],
    ['status-500', OpenAI.InternalServerError, { status: 502, code: 'UPSTREAM_ERROR', type: 'server_error' }],
    ['status-503', OpenAI.InternalServerError, { status: 503, type: 'server_error' }],
    ['breaks-at-once', OpenAI.InternalServerError, { status: 502, code: 'UPSTREAM_ERROR' }],
  ];
  for (const [model, kind, expected] of rows) {
    for (const stream of [false, true]) {
      test(`${model}${stream ? ', streamed' : ''}: ${kind.name}`, async () => {
        check(await failureOf(ask(model, { stream })), kind, expected);
      });
    }
  }

  test('the wait that a provider asks for is passed on', async () => {
    const e = await failureOf(ask('status-429'));
    assert.equal(e.headers.get('retry-after-ms'), '6500');
    assert.equal(e.headers.get('retry-after'), '7');
  });

  test('a stream that fails before its content is a true HTTP error', async () => {
    const e = await failureOf(ask('fails-at-once', { stream: true }));
    check(e, OpenAI.InternalServerError, { status: 502 });
  });
});

suite('openai for Node: errors in a stream', () => {
  for (const [model, message] of [['fails-midway', /The server had an error/], ['breaks-midway', /provider 'breaks-midway'/]]) {
    test(`${model}: what had come is there, then APIError`, async () => {
      const chunks = [];
      const e = await failureOf(
        (async () => {
          for await (const chunk of await ask(model, { stream: true })) chunks.push(chunk);
        })(),
      );
      const text = textOf(chunks);
      assert.ok(text.length > 0 && fiveTokens.startsWith(text), text);
      assert.equal(e.constructor, OpenAI.APIError);
      assert.equal(e.status, undefined);
      assert.equal(e.type, 'server_error');
      assert.match(e.error.message, message);
      assert.match(e.requestID, requestId);
    });
  }

  test('the next request of the same client is served', async () => {
    const c = client();
    await failureOf(collect(await c.chat.completions.create({ model: 'fails-midway', messages, stream: true })));
    const answer = await c.chat.completions.create({ model: 'answer', messages });
    assert.equal(answer.choices[0].message.content, fiveTokens);
  });
});
