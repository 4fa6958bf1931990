// OpenAI's SDK for Node: calls of tools.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import { client, collect, messages, mock, weatherTool } from './support.mjs';

beforeEach(() => mock.reset());

const tools = [weatherTool];

/** Puts the calls of a stream together by their index, as users do. */
function callsOf(chunks) {
  const calls = [];
  for (const delta of chunks.flatMap((c) => c.choices[0]?.delta?.tool_calls ?? [])) {
    const call = (calls[delta.index] ??= { id: '', name: '', arguments: '' });
    call.id += delta.id ?? '';
    call.name += delta.function?.name ?? '';
    call.arguments += delta.function?.arguments ?? '';
  }
  return calls;
}

/** Answers every call of a message. */
const resultsOf = (message) =>
  message.tool_calls.map((c) => ({ role: 'tool', tool_call_id: c.id, content: '{"celsius":21}' }));

suite('openai for Node: tools', () => {
  test('a call arrives', async () => {
    const { choices } = await client().chat.completions.create({ model: 'calls-tool', messages, tools });
    assert.equal(choices[0].finish_reason, 'tool_calls');
    assert.equal(choices[0].message.content, null);
    const [call] = choices[0].message.tool_calls;
    assert.equal(call.type, 'function');
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { location: 'Paris' });
    assert.deepEqual((await mock.lastRequest()).body.tools, tools);
  });

  test('a call arrives in pieces', async () => {
    const chunks = await collect(
      await client().chat.completions.create({ model: 'calls-tool', messages, tools, stream: true }),
    );
    const [call] = callsOf(chunks);
    assert.match(call.id, /^call_/);
    assert.equal(call.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.arguments), { location: 'Paris' });
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls');
  });

  test('two calls of one stream stay apart', async () => {
    const calls = callsOf(
      await collect(await client().chat.completions.create({ model: 'calls-two-tools', messages, tools, stream: true })),
    );
    assert.equal(calls.length, 2);
    assert.notEqual(calls[0].id, calls[1].id);
    for (const call of calls) assert.equal(typeof JSON.parse(call.arguments).location, 'string');
  });

  test('the helper with events puts calls together', async () => {
    const answer = await client()
      .chat.completions.stream({ model: 'calls-two-tools', messages, tools })
      .finalChatCompletion();
    assert.equal(answer.choices[0].message.tool_calls.length, 2);
    assert.equal(answer.choices[0].message.tool_calls[1].function.name, 'get_weather');
  });

  for (const stream of [false, true]) {
    test(`an agent's loop comes to its end, ${stream ? 'streamed' : 'plain'}`, async () => {
      const talk = [...messages];
      let answer;
      for (let turn = 0; turn < 3; ++turn) {
        const request = { model: 'calls-two-tools', messages: talk, tools };
        answer = stream
          ? await client().chat.completions.stream(request).finalChatCompletion()
          : await client().chat.completions.create(request);
        const { message } = answer.choices[0];
        if (answer.choices[0].finish_reason !== 'tool_calls') break;
        talk.push(message, ...resultsOf(message));
      }
      assert.equal(answer.choices[0].finish_reason, 'stop');
      assert.ok(answer.choices[0].message.content.length > 0);
      assert.equal(talk.length, 4);
      assert.equal((await mock.ledger()).requests, 2);
      assert.deepEqual(
        (await mock.lastRequest()).body.messages.map((m) => m.role),
        ['user', 'assistant', 'tool', 'tool'],
      );
    });
  }

  test('runTools calls the function and gives the last answer', async () => {
    const places = [];
    const runner = client().chat.completions.runTools({
      model: 'calls-tool',
      messages,
      stream: true,
      tools: [
        {
          type: 'function',
          function: {
            ...weatherTool.function,
            parse: JSON.parse,
            function: ({ location }) => {
              places.push(location);
              return '{"celsius":21}';
            },
          },
        },
      ],
    });
    assert.ok((await runner.finalContent()).length > 0);
    assert.deepEqual(places, ['Paris']);
  });
});
