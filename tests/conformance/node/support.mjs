// What the tests of all SDKs for Node share: addresses and keys from the starter, and the mock provider's ledger.

import OpenAI from 'openai';

function fromStarter(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the tests with tests/conformance/run.sh`);
  return value;
}

export const baseURL = fromStarter('CONCURRED_BASE_URL');
export const apiKey = fromStarter('CONCURRED_API_KEY');
export const keyOnePerMinute = fromStarter('CONCURRED_API_KEY_1_PER_MINUTE');
export const keySixtyPerMinute = fromStarter('CONCURRED_API_KEY_60_PER_MINUTE');
export const mockURL = fromStarter('CONCURRED_MOCK_URL');

/** A request id of the gateway: a UUID of version 7. */
export const requestId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What the mock provider says with five tokens of four characters. */
export const fiveTokens = 'The quick brown fox ';

export const messages = [{ role: 'user', content: 'Hello there' }];

/** The one tool that the mock provider calls. */
export const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather at a place',
    parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
  },
};

/** A client that does not repeat requests by itself. */
export function client(options = {}) {
  return new OpenAI({ baseURL, apiKey, maxRetries: 0, ...options });
}

/** The error that a promise is rejected with. */
export async function failureOf(promise) {
  try {
    await promise;
  } catch (e) {
    return e;
  }
  throw new Error('the call succeeded');
}

export async function collect(iterable) {
  const all = [];
  for await (const item of iterable) all.push(item);
  return all;
}

export const textOf = (chunks) => chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('');

/** The provider's side. */
export const mock = {
  async reset() {
    await (await fetch(`${mockURL}/mock/reset`, { method: 'POST' })).text();
  },
  async ledger() {
    return (await fetch(`${mockURL}/mock/ledger`)).json();
  },
  /** The ledger, once `condition(ledger)` holds. */
  async when(condition) {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const ledger = await this.ledger();
      if (condition(ledger)) return ledger;
      if (Date.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(ledger)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  /** Head and body of what it received last. */
  async lastRequest() {
    const answer = await fetch(`${mockURL}/mock/requests/last`);
    const text = await answer.text();
    const head = text.slice(0, Number(answer.headers.get('x-mock-head-length')));
    return { head, body: JSON.parse(text.slice(head.length)) };
  },
};

/** Uses up a key until it is told to wait for at least `waitMs`. Returns the last refusal's headers. */
export async function exhaust(key, waitMs) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const answer = await fetch(`${baseURL}/models/answer`, { headers: { authorization: `Bearer ${key}` } });
    await answer.text();
    if (answer.status === 429 && Number(answer.headers.get('retry-after-ms')) >= waitMs) return answer.headers;
  }
  throw new Error('the key is not used up');
}

/** A fetch that notes when each attempt began and what came back. */
export function recordingFetch() {
  const attempts = [];
  const recording = async (url, init) => {
    const attempt = { sent: performance.now(), retryCount: new Headers(init.headers).get('x-stainless-retry-count') };
    attempts.push(attempt);
    const answer = await fetch(url, init);
    attempt.answered = performance.now();
    attempt.status = answer.status;
    attempt.headers = answer.headers;
    return answer;
  };
  return { attempts, fetch: recording };
}

/** The time in ms between the first attempt's answer and the second attempt. */
export const pauseOf = (attempts) => attempts[1].sent - attempts[0].answered;

/**
 * Makes an experiment again while `unlucky(its outcome)`, a few times at most: on a busy machine anything may come late,
 * but not always.
 */
export async function untilLucky(experiment, unlucky) {
  for (let i = 0; ; ++i) {
    await mock.reset();
    const outcome = await experiment();
    if (i === 4 || !unlucky(outcome)) return outcome;
  }
}
