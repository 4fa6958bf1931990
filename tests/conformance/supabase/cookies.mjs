// Signs in with Supabase's own server client and prints the cookies that it sets.
// In: a JSON list of {url, token, user, encoding}; out: for each the Cookie header and the number of cookies.
import { createServerClient } from "@supabase/ssr";
import { serialize } from "cookie";
import { readFileSync } from "node:fs";

async function cookiesOf({ url, token, user, encoding }) {
  const jar = new Map();
  // The client asks the project who the token belongs to; the test is the project.
  const project = async () => new Response(JSON.stringify(user), { status: 200, headers: { "content-type": "application/json" } });
  const client = createServerClient(url, "publishable-key", {
    cookieEncoding: encoding,
    cookies: {
      getAll: () => [...jar].map(([name, value]) => ({ name, value })),
      setAll: (all) => all.forEach(({ name, value }) => (value === "" ? jar.delete(name) : jar.set(name, value))),
    },
    global: { fetch: project },
    realtime: { transport: class {} }, // Node 20 has no WebSocket, and none is needed
  });
  const { error } = await client.auth.setSession({ access_token: token, refresh_token: "refresh-token" });
  if (error) throw error;
  // Cookies are set behind the sign-in, when the client tells its listeners.
  for (let turn = 0; jar.size === 0 && turn < 100; ++turn) await new Promise((resolve) => setImmediate(resolve));
  await client.auth.stopAutoRefresh();
  const names = [...jar.keys()];
  return { names, header: [...jar].map(([name, value]) => serialize(name, value)).join("; ") };
}

const sessions = JSON.parse(readFileSync(0, "utf8"));
const made = [];
for (const session of sessions) made.push(await cookiesOf(session));
// The clients keep timers: without an exit the process would wait for them.
process.stdout.write(JSON.stringify(made), () => process.exit(0));
