// OpenAI's SDK for Node: going away, timeouts, repeated requests.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import OpenAI from 'openai';

import {
  client, exhaust, failureOf, fiveTokens, keySixtyPerMinute, messages, mock, pauseOf, recordingFetch, untilLucky,
} from './support.mjs';

beforeEach(() => mock.reset());

const slow = { model: 'slow', messages, stream: true };

/** Checks that the provider saw its one request end at that stage. */
async function stoppedAt(stage) {
  const ledger = await mock.when((l) => l.aborted === 1 && l.in_progress === 0);
  assert.equal(ledger.requests, 1);
  assert.equal(ledger.aborts.at(-1).stage, stage);
}

suite('openai for Node: going away stops the provider', () => {
  test('abort in the middle of a stream', async () => {
    const controller = new AbortController();
    const stream = await client().chat.completions.create(slow, { signal: controller.signal });
    let chunks = 0;
    for await (const _ of stream) {
      if (++chunks === 3) controller.abort();
    }
    await stoppedAt('streaming');
  });

  test('leaving the loop over a stream', async () => {
    for await (const chunk of await client().chat.completions.create(slow)) {
      if (chunk.choices[0].delta.content) break;
    }
    await stoppedAt('streaming');
  });

  test('abort of the helper with events', async () => {
    const runner = client().chat.completions.stream({ model: 'slow', messages });
    runner.once('content', () => runner.abort());
    assert.equal((await failureOf(runner.done())).constructor, OpenAI.APIUserAbortError);
    await stoppedAt('streaming');
  });

  for (const stream of [false, true]) {
    test(`abort while nothing has come, ${stream ? 'streamed' : 'plain'}`, async () => {
      const controller = new AbortController();
      const failure = failureOf(
        client().chat.completions.create({ model: 'hangs', messages, stream }, { signal: controller.signal }),
      );
      await mock.when((l) => l.in_progress === 1);
      controller.abort();
      assert.equal((await failure).constructor, OpenAI.APIUserAbortError);
      await stoppedAt('waiting');
    });
  }

  test('a timeout of the client', async () => {
    const e = await failureOf(client({ timeout: 1000 }).chat.completions.create({ model: 'hangs', messages }));
    assert.equal(e.constructor, OpenAI.APIConnectionTimeoutError);
    await stoppedAt('waiting');
  });
});

suite('openai for Node: repeated requests', () => {
  test('a refusal for a short time is repeated after the wait that retry-after-ms tells', async () => {
    const ask = async () => {
      const { attempts, fetch } = recordingFetch();
      const answer = await client({ maxRetries: 2, fetch }).chat.completions.create({ model: 'busy-once', messages });
      assert.equal(answer.choices[0].message.content, fiveTokens);
      return attempts;
    };
    const attempts = await untilLucky(ask, (made) => pauseOf(made) >= 1000);
    assert.deepEqual(attempts.map((a) => a.status), [429, 200]);
    assert.deepEqual(attempts.map((a) => a.retryCount), ['0', '1']);
    assert.equal(attempts[0].headers.get('retry-after-ms'), '60');
    // Neither the 9 s of the provider's retry-after nor a second, which is ours rounded up.
    assert.ok(pauseOf(attempts) >= 59 && pauseOf(attempts) < 1000, String(pauseOf(attempts)));
    assert.equal((await mock.ledger()).requests, 2);
  });

  test('a stream is repeated too, as long as nothing of it has come', async () => {
    const { attempts, fetch } = recordingFetch();
    const stream = await client({ maxRetries: 2, fetch }).chat.completions.create({
      model: 'overloaded-twice',
      messages,
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0].delta.content ?? '';
    assert.equal(text, fiveTokens);
    assert.deepEqual(attempts.map((a) => a.status), [503, 503, 200]);
    assert.equal((await mock.ledger()).requests, 3);
  });

  test('a key over its limit is served after the wait it was told', async () => {
    const ask = async () => {
      const { attempts, fetch } = recordingFetch();
      const c = client({ apiKey: keySixtyPerMinute, maxRetries: 2, fetch });
      await exhaust(keySixtyPerMinute, 600);
      const answer = await c.chat.completions.create({ model: 'answer', messages });
      assert.equal(answer.choices[0].message.content, fiveTokens);
      return attempts;
    };
    const attempts = await untilLucky(ask, (made) => made[0].status === 200);
    const told = Number(attempts[0].headers.get('retry-after-ms'));
    assert.deepEqual(attempts.map((a) => a.status), [429, 200]);
    assert.ok(pauseOf(attempts) >= told - 1, `${pauseOf(attempts)} of ${told}`);
    assert.equal((await mock.ledger()).requests, 1);
  });

  test('what is wrong with the request itself is not repeated', async () => {
    const { attempts, fetch } = recordingFetch();
    await failureOf(client({ maxRetries: 2, fetch }).chat.completions.create({ model: 'status-400', messages }));
    assert.equal(attempts.length, 1);
  });

  test('a stream that broke after content is not repeated', async () => {
    const { attempts, fetch } = recordingFetch();
    const stream = await client({ maxRetries: 2, fetch }).chat.completions.create({
      model: 'breaks-midway',
      messages,
      stream: true,
    });
    await failureOf((async () => { for await (const _ of stream); })());
    assert.equal(attempts.length, 1);
    assert.equal((await mock.ledger()).requests, 1);
  });
});
