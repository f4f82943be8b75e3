import assert from "node:assert/strict";
import { test } from "node:test";
import { overHttp, RecognitionError } from "../../src/inktex/service/static/recognizer.js";

const { signal } = new AbortController();

/** A service that answers the model's description, and to all else what it is told. */
function service(respond) {
  const asked = [];
  const fetch = async (url, request) => {
    asked.push({ path: new URL(url).pathname + new URL(url).search, ...request });
    if (String(url).endsWith("/model")) return Response.json({ formats: ["latex", "mathml", "sympy"] });
    return respond();
  };
  return { asked, recognizer: overHttp("http://127.0.0.1/base/api/v1/", { fetch, key: () => "secret" }) };
}
const trouble = async (promise) => promise.then(() => null, (error) => [error.trouble, error.message, error.retryAfterMs]);

test("Strokes are sent as JSON with the formats that the service knows, and with the key.", async () => {
  const { asked, recognizer } = service(() => Response.json({ latex: "x" }));

  assert.deepEqual(await recognizer.readStrokes([[[0, 1]]], signal), { latex: "x" });

  const { path, method, body, headers } = asked[1];
  assert.deepEqual([path, method], ["/base/api/v1/recognize", "POST"]);
  assert.deepEqual(JSON.parse(body), { strokes: [[[0, 1]]], alternatives: 5, details: true, formats: ["latex", "mathml"] });
  assert.equal(headers.Authorization, "Bearer secret");
});

test("A picture is sent as it is, its wishes in the address; the formats are asked for once.", async () => {
  const { asked, recognizer } = service(() => Response.json({ latex: "x" }));
  const picture = new Blob(["png"], { type: "image/png" });

  await recognizer.readPicture(picture, signal);
  await recognizer.readPicture(picture, signal);

  assert.equal(asked.length, 3);
  assert.equal(asked[2].path, "/base/api/v1/recognize?alternatives=5&details=true&formats=latex%2Cmathml");
  assert.equal(asked[2].body, picture);
  assert.equal(asked[2].headers["Content-Type"], "image/png");
});

test("A conversion has its MathML in one place, wherever the service puts it.", async () => {
  const { recognizer } = service(() => Response.json({ latex: "x", formats: { mathml: "<math/>" } }));

  assert.equal((await recognizer.convert("x", signal)).mathml, "<math/>");
});

test("What goes wrong has one of five names, with the service's sentence and its wish for patience.", async () => {
  const error = (status, headers) => () => Response.json({ error: "so it is" }, { status, headers });
  const told = async (respond) => trouble(service(respond).recognizer.readStrokes([], signal));

  assert.deepEqual(await told(error(503, { "Retry-After": "7" })), ["busy", "so it is", 7000]);
  assert.deepEqual((await told(error(429)))[0], "busy");
  assert.deepEqual((await told(error(401)))[0], "locked");
  assert.deepEqual((await told(error(422))).slice(0, 2), ["refused", "so it is"]);
  assert.deepEqual((await told(error(500)))[0], "failed");
  assert.deepEqual((await told(() => new Response("not JSON")))[0], "failed");
  assert.deepEqual((await told(() => Promise.reject(new TypeError("no network"))))[0], "unreachable");
});

test("Who gives up gets no error of recognition.", async () => {
  const cancel = new AbortController();
  const { recognizer } = service(() => Promise.reject(cancel.signal.reason));
  cancel.abort();

  await assert.rejects(recognizer.readStrokes([], cancel.signal), (error) => !(error instanceof RecognitionError));
});
