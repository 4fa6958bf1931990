// The same features of every SDK with every provider: one test for each cell of the table in README.md.
//
// A driver tells how one SDK does it:
//   ask(model, request)   one answer, in the words below
//   abort(model, signal)  reads a stream; `signal.started()` when the first text is there
//   failure(error)        {status, name} of an error
//   respond(model, stream) where it speaks the Responses API: {text, usage}
//   embed(model, texts)   where it embeds: vectors of four numbers
// A request: {talk, stream, tools, schema, effort, image}; talk: [{user: text} | {answer} | {results: [{id, name, content}]}].
// An answer: {text, reasoning, calls: [{id, name, args}], finish: 'stop' | 'tools', usage, raw}; usage: {input, output,
// cached, reasoning}; `raw` is what the SDK wants back as the assistant's turn. What an SDK does not show is undefined.

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, suite, test } from 'node:test';

import { apiKey, baseURL, failureOf, fiveTokens, mock } from './support.mjs';

export const providers = ['openai', 'anthropic', 'google', 'x-ai', 'openrouter', 'minimax'];
export const modelOf = (scenario, provider) => `${scenario}@${provider}`;

/** One pixel. */
export const picture =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const weatherSchema = {
  type: 'object',
  properties: { location: { type: 'string', description: 'A city' } },
  required: ['location'],
  additionalProperties: false,
};
export const citySchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

const hello = [{ user: 'Hello there' }];

/** Where a provider's request has the schema of the answer; MiniMax is told in words. */
const schemaSeen = {
  openai: (body) => body.response_format.json_schema.schema.properties.city,
  'x-ai': (body) => body.response_format.json_schema.schema.properties.city,
  openrouter: (body) => body.response_format.json_schema.schema.properties.city,
  anthropic: (body) => body.output_config.format.schema.properties.city,
  google: (body) => (body.generationConfig.responseJsonSchema ?? body.generationConfig.responseSchema).properties.city,
  minimax: (body) => JSON.stringify(body.messages).includes('city'),
};

/** Reasoning is shown where a provider shows it: OpenAI counts it only. */
const showsReasoning = (provider) => provider !== 'openai';

const features = {
  plain: async ({ ask }, provider) => {
    const answer = await ask(modelOf('answer', provider), { talk: hello });
    assert.equal(answer.text, fiveTokens);
    assert.equal(answer.finish, 'stop');
  },

  stream: async ({ ask }, provider) => {
    const answer = await ask(modelOf('answer', provider), { talk: hello, stream: true });
    assert.equal(answer.text, fiveTokens);
    assert.equal(answer.finish, 'stop');
    assert.ok(answer.pieces === undefined || answer.pieces === 5, `${answer.pieces} pieces`);
  },

  usage: async ({ ask, counts = ['input', 'output', 'cached', 'reasoning'] }, provider) => {
    // Anthropic's models reason when they are asked to.
    const reasoning = provider === 'anthropic' ? 0 : 7;
    const expected = { input: 20, output: 3 + reasoning, cached: 8, reasoning };
    for (const stream of [false, true]) {
      const { usage } = await ask(modelOf('details', provider), { talk: hello, stream });
      for (const name of counts) assert.equal(usage[name] ?? 0, expected[name], `${name}, stream: ${stream}`);
    }
  },

  'tool round trip': async ({ ask }, provider) => {
    for (const stream of [false, true]) await roundTrip(ask, provider, 'calls-tool', 1, stream);
  },

  'parallel tools': async ({ ask }, provider) => {
    for (const stream of [false, true]) await roundTrip(ask, provider, 'calls-two-tools', 2, stream);
  },

  image: async ({ ask }, provider) => {
    const answer = await ask(modelOf('answer', provider), { talk: [{ user: 'What is it?', image: picture }] });
    assert.equal(answer.text, fiveTokens);
    assert.ok(JSON.stringify((await mock.lastRequest()).body).includes(picture));
  },

  reasoning: async ({ ask, reasoningShown = true }, provider) => {
    for (const stream of [false, true]) {
      const answer = await ask(modelOf('reasons', provider), { talk: hello, stream, effort: 'low' });
      assert.equal(answer.text, fiveTokens);
      if (reasoningShown && showsReasoning(provider)) assert.equal(answer.reasoning, 'Let me think: so');
      if (answer.usage.reasoning !== undefined) assert.equal(answer.usage.reasoning, 4);
    }
  },

  'structured output': async ({ ask }, provider) => {
    const answer = await ask(modelOf('echo', provider), { talk: [{ user: '{"city":"Paris"}' }], schema: citySchema });
    assert.deepEqual(answer.parsed ?? JSON.parse(answer.text), { city: 'Paris' });
    assert.ok(schemaSeen[provider]((await mock.lastRequest()).body));
  },

  errors: async ({ ask, failure, errorNames }, provider) => {
    // MiniMax has a code of its own for it, which is a bad gateway.
    const overloaded = provider === 'minimax' ? 502 : 503;
    for (const [scenario, status] of [['refuses', 400], ['busy', 429], ['overloaded', overloaded]]) {
      for (const stream of [false, true]) {
        const seen = failure(await failureOf(ask(modelOf(scenario, provider), { talk: hello, stream })));
        assert.equal(seen.status, status, `${scenario}, stream: ${stream}`);
        if (errorNames?.[status]) assert.equal(seen.name, errorNames[status]);
        // MiniMax's errors are inside of an answer, which has no such field.
        const told = seen.retryAfter !== undefined && provider !== 'minimax';
        if (told && status === 429) assert.equal(seen.retryAfter, '7');
      }
    }
  },

  abort: async ({ abort }, provider) => {
    const controller = new AbortController();
    await failureOf(abort(modelOf('slow', provider), controller));
    const ledger = await mock.when((l) => l.aborted === 1 && l.in_progress === 0);
    assert.equal(ledger.aborts[0].stage, 'streaming');
  },
};

/** Who has the two endpoints that go through as they are; the others' refusal names these. */
const hasResponses = (provider) => !['anthropic', 'google'].includes(provider);
const hasEmbeddings = (provider) => ['openai', 'x-ai', 'openrouter'].includes(provider);

/** A refusal that says which models do otherwise. @returns why the cell is a gap */
async function refusedByName({ failure }, asked, others) {
  const seen = failure(await failureOf(asked));
  assert.equal(seen.status, 400);
  assert.match(seen.message, others);
  assert.equal((await mock.ledger()).requests, 0);
  return 'the provider has no such endpoint: 400 that names those who do, checked here';
}

/** Features of some SDKs. */
const furtherFeatures = {
  responses: async (driver, provider) => {
    if (!hasResponses(provider)) {
      return refusedByName(driver, driver.respond(modelOf('answer', provider), false), /openai, openrouter, x-ai and minimax/);
    }
    for (const stream of [false, true]) {
      const { text, usage } = await driver.respond(modelOf('answer', provider), stream);
      assert.equal(text, fiveTokens);
      assert.deepEqual(usage, { input: 11, output: 5 });
    }
  },

  embeddings: async (driver, provider) => {
    if (!hasEmbeddings(provider)) {
      return refusedByName(driver, driver.embed(modelOf('answer', provider), ['one', 'two']), /openai, openrouter and x-ai/);
    }
    const vectors = await driver.embed(modelOf('answer', provider), ['one', 'two']);
    assert.deepEqual(vectors.map((v) => v.length), [4, 4]);
    assert.notDeepEqual(Array.from(vectors[0]), Array.from(vectors[1]));
  },
};

async function roundTrip(ask, provider, scenario, count, stream) {
  const model = modelOf(scenario, provider);
  const tools = [{ name: 'get_weather', description: 'The weather at a place', parameters: weatherSchema }];
  const first = await ask(model, { talk: hello, tools, stream });
  assert.equal(first.finish, 'tools');
  assert.deepEqual(first.calls.map((c) => c.name), Array(count).fill('get_weather'));
  assert.deepEqual(first.calls.map((c) => c.args.location), ['Paris', 'Tokyo'].slice(0, count));
  assert.equal(new Set(first.calls.map((c) => c.id)).size, count);
  const results = first.calls.map(({ id, name }) => ({ id, name, content: '{"celsius":21}' }));
  const second = await ask(model, { talk: [...hello, { answer: first }, { results }], tools, stream });
  assert.equal(second.finish, 'stop');
  assert.ok(second.text.length > 0);
}

const resultsFile = process.env.CONCURRED_MATRIX;

function record(sdk, feature, provider, result) {
  if (resultsFile) appendFileSync(resultsFile, `${JSON.stringify({ sdk, feature, provider, result })}\n`);
}

/** Why the SDKs of Anthropic cannot be used. */
export async function withoutMessages() {
  const { status } = await fetch(`${baseURL}/messages`, { method: 'POST', headers: { authorization: `Bearer ${apiKey}` } });
  return status === 404 ? 'the gateway has no /api/v1/messages' : undefined;
}

/**
 * The tests of one SDK. `driver.gaps[feature]` or `driver.gaps['feature provider']`: why a cell cannot be; it is skipped.
 * `driver.missing()`: why none can be.
 */
export function matrix(sdk, driver) {
  suite(`matrix: ${sdk}`, () => {
    beforeEach(() => mock.reset());
    afterEach(async () => {
      // The mock checks every request by its provider's schema and rules.
      assert.deepEqual((await mock.ledger()).violation_list, []);
    });
    for (const provider of providers) {
      const further = { ...(driver.respond && { responses: 1 }), ...(driver.embed && { embeddings: 1 }) };
      const mine = [...Object.entries(features), ...Object.entries(furtherFeatures).filter(([name]) => further[name])];
      for (const [feature, run] of mine) {
        test(`${feature}, ${provider}`, async (t) => {
          const gap = (await driver.missing?.()) ?? driver.gaps?.[`${feature} ${provider}`] ?? driver.gaps?.[feature];
          if (gap) {
            record(sdk, feature, provider, gap);
            return t.skip(gap);
          }
          const result = await run(driver, provider);
          record(sdk, feature, provider, result ?? 'pass');
        });
      }
    }
  });
}
