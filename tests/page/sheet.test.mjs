import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, boxOf, changed, formulasOf, named, redone, shifted, shiftOf, undone, without } from "../../src/inktex/service/static/sheet.js";
import { diagonal, stroke } from "./made.mjs";

const ids = (formulas) => formulas.map((items) => items.map(({ id }) => id).join(""));
const picture = (id, top) => ({ id, kind: "picture", left: 0, top, scale: 0.5, width: 200, height: 100, blob: null });

test("Undo and redo walk through the states, and something new ends what could be redone.", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => stroke(id, [0, 0]));
  const two = changed(changed(blank(), [a]), [a, b]);

  assert.deepEqual(undone(two).items, [a]);
  assert.deepEqual(undone(undone(two)).items, []);
  assert.deepEqual(undone(undone(undone(two))).items, []);
  assert.deepEqual(redone(undone(two)).items, [a, b]);
  assert.deepEqual(redone(changed(undone(two), [a, c])).items, [a, c]);
});

test("Lines of writing with room between them are formulas of their own, in order from the top.", () => {
  const below = [diagonal("c", 0, 140, 30, 180), diagonal("d", 40, 142, 70, 181)];
  const above = [diagonal("a", 0, 0, 30, 40), diagonal("b", 40, 2, 70, 41)];

  assert.deepEqual(ids(formulasOf([...below, ...above])), ["ab", "cd"]);
});

test("A fraction is one formula, whatever is written first.", () => {
  const bar = stroke("-", [0, 60], [50, 60], [100, 61]);
  const fraction = [diagonal("a", 30, 0, 60, 40), bar, diagonal("b", 30, 95, 60, 135)];

  assert.deepEqual(ids(formulasOf(fraction)), ["a-b"]);
  assert.deepEqual(ids(formulasOf([...fraction].reverse())), ["b-a"]);
});

test("The dot of an i belongs to it, and a limit to its sum.", () => {
  const i = [stroke("|", [10, 30], [10, 70]), stroke(".", [10, 5])];
  const sum = [diagonal("S", 0, 0, 60, 70), diagonal("f", 70, 5, 200, 60), diagonal("n", 20, 105, 40, 125)];

  assert.deepEqual(ids(formulasOf(i)), ["|."]);
  assert.deepEqual(ids(formulasOf(sum)), ["Sfn"]);
});

test("A picture is a formula of its own, also between lines.", () => {
  const items = [diagonal("a", 0, 0, 30, 40), picture("p", 20), diagonal("b", 40, 0, 70, 40)];

  assert.deepEqual(ids(formulasOf(items)), ["ab", "p"]);
});

test("Moving shifts strokes and pictures alike, leaves the others, and is seen as a shift.", () => {
  const items = [stroke("a", [1, 2], [3, 4]), stroke("b", [5, 6]), picture("p", 20)];

  const after = shifted(items, new Set(["a", "p"]), 10, -5);

  assert.deepEqual(boxOf(after[0]), { left: 11, top: -3, right: 13, bottom: -1 });
  assert.equal(after[1], items[1]);
  assert.deepEqual(boxOf(after[2]), { left: 10, top: 15, right: 110, bottom: 65 });
  assert.deepEqual(shiftOf([items[0], items[2]], [after[0], after[2]]), [10, -5]);
  assert.equal(shiftOf(items, after), null);
});

test("A formula keeps its name while strokes come and go; of two parts the larger keeps it.", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => stroke(id, [0, 0]));
  let count = 0;
  const next = () => `new${(count += 1)}`;

  const grown = named(new Map([["first", [a]]]), [[a, b]], next);
  const split = named(new Map([["first", [a, b, c]]]), [[a], [b, c]], next);
  const merged = named(new Map([["small", [a]], ["large", [b, c]]]), [[a, b, c]], next);

  assert.deepEqual([...grown.keys()], ["first"]);
  assert.deepEqual([...split.keys()], ["new1", "first"]);
  assert.deepEqual([...merged.keys()], ["large"]);
});

test("Removing takes what is named and leaves the rest as it is.", () => {
  const [a, b] = ["a", "b"].map((id) => stroke(id, [0, 0]));

  assert.deepEqual(without([a, b], ["a", "other"]), [b]);
});
