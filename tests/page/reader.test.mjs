import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Reader } from "../../src/inktex/service/static/reader.js";
import { RecognitionError } from "../../src/inktex/service/static/recognizer.js";
import { shifted } from "../../src/inktex/service/static/sheet.js";
import { answer, diagonal } from "./made.mjs";

/** Lets every promise that can settle do so. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** A recognizer whose answers the test gives when it likes. */
function recognizer() {
  const calls = [];
  const call = (kind) => (what, signal) =>
    new Promise((resolve, reject) => {
      calls.push({ kind, what, signal, resolve, reject });
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  return { calls, readStrokes: call("strokes"), readPicture: call("picture"), convert: call("convert") };
}

let service, reader;
const states = () => [...reader.formulas.values()].map(({ state }) => state);
const x = diagonal("x", 0, 0, 30, 40);
const y = diagonal("y", 40, 0, 70, 40);
const below = diagonal("z", 0, 300, 30, 340);

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  service = recognizer();
  reader = new Reader(service, () => {});
});

test("Ink is read when the pen has rested for 250 ms, and not before.", async () => {
  reader.show([x]);
  mock.timers.tick(249);
  assert.equal(service.calls.length, 0);
  mock.timers.tick(1);

  assert.deepEqual(service.calls[0].what, [[[0, 0], [15, 20], [30, 40]]]);
  service.calls[0].resolve(answer(["x"]));
  await settle();
  assert.deepEqual(states(), ["read"]);
  assert.equal([...reader.formulas.values()][0].reading.latex, "x");
});

test("A pen that writes on ends what is being read, and all of it is read when it rests.", async () => {
  reader.show([x]);
  mock.timers.tick(250);
  reader.hold();
  await settle();
  mock.timers.tick(5000);
  assert.equal(service.calls[0].signal.aborted, true);
  assert.equal(service.calls.length, 1);

  reader.show([x, y]);
  reader.release();
  mock.timers.tick(250);
  assert.equal(service.calls[1].what.length, 2);
  assert.deepEqual(states(), ["reading"]);
});

test("Formulas are read one after the other, the newest first, and none twice.", async () => {
  reader.show([x]);
  reader.show([x, below]);
  mock.timers.tick(250);
  assert.equal(service.calls.length, 1);
  service.calls[0].resolve(answer(["z"]));
  await settle();
  service.calls[1].resolve(answer(["x"]));
  await settle();
  reader.show([x, below]);
  mock.timers.tick(250);

  assert.deepEqual(states(), ["read", "read"]);
  assert.equal(service.calls.length, 2);
  assert.deepEqual(service.calls[0].what[0][0], [0, 300]);
});

test("What is only moved keeps its reading, with its boxes moved along.", async () => {
  reader.show([x]);
  mock.timers.tick(250);
  service.calls[0].resolve(answer(["x"]));
  await settle();

  reader.show(shifted([x], new Set(["x"]), 100, 7));
  mock.timers.tick(250);

  const [{ reading, state }] = reader.formulas.values();
  assert.equal(state, "read");
  assert.deepEqual(reading.marks[0].box, { left: 100, top: 7, right: 108, bottom: 27 });
  assert.equal(service.calls.length, 1);
});

test("A service that is busy is asked again when it said; one that refuses is not.", async () => {
  reader.show([x]);
  mock.timers.tick(250);
  service.calls[0].reject(new RecognitionError("busy", "", 3000));
  await settle();
  assert.deepEqual(states(), ["failed"]);
  mock.timers.tick(3000);
  mock.timers.tick(0);
  assert.equal(service.calls.length, 2);

  service.calls[1].reject(new RecognitionError("refused", "too many strokes"));
  await settle();
  mock.timers.tick(60000);
  assert.equal(service.calls.length, 2);
  assert.equal([...reader.formulas.values()][0].problem.message, "too many strokes");
});

test("LaTeX that is typed is converted when typing pauses, and only the last of it.", async () => {
  reader.show([x]);
  mock.timers.tick(250);
  service.calls[0].resolve(answer(["x"]));
  await settle();
  const [formula] = reader.formulas.values();

  reader.edit(formula, "x^");
  mock.timers.tick(100);
  reader.edit(formula, "x^2");
  mock.timers.tick(250);
  await settle();
  assert.deepEqual(service.calls.slice(1).map(({ what }) => what), ["x^2"]);
  service.calls[1].resolve({ mathml: "<math>2</math>", formats: {} });
  await settle();

  assert.deepEqual([formula.reading.latex, formula.reading.mathml, formula.reading.edited], ["x^2", "<math>2</math>", true]);
});

test("LaTeX that is not complete leaves the formula that was shown last, and says so.", async () => {
  reader.show([x]);
  mock.timers.tick(250);
  service.calls[0].resolve(answer(["x"], { mathml: "<math>x</math>" }));
  await settle();
  const [formula] = reader.formulas.values();

  reader.edit(formula, "\\frac{", 0);
  mock.timers.tick(0);
  await settle();
  service.calls[1].reject(new RecognitionError("refused", "a brace is missing"));
  await settle();

  assert.equal(formula.problem.trouble, "latex");
  assert.deepEqual([formula.reading.latex, formula.reading.mathml], ["\\frac{", "<math>x</math>"]);
});

test("Ink that is taken away while it is read is no longer read.", async () => {
  reader.show([x]);
  mock.timers.tick(250);
  reader.show([]);

  assert.equal(service.calls[0].signal.aborted, true);
  assert.equal(reader.formulas.size, 0);
});

test("An earlier sheet comes back as it was read, and is not read again.", () => {
  const kept = [{ name: "old", ids: ["x"], reading: { latex: "x", marks: [], unknown: [] } }];

  reader.restore([x], kept);
  mock.timers.tick(1000);

  assert.deepEqual([...reader.formulas.keys()], ["old"]);
  assert.equal(service.calls.length, 0);
});
