import assert from "node:assert/strict";
import { test } from "node:test";
import { encloses, lassoed, Pointers, scratchedOut, sweeps } from "../../src/inktex/service/static/gestures.js";
import { diagonal, stroke, zigzag } from "./made.mjs";

const at = (pointerId, pointerType, timeStamp) => ({ pointerId, pointerType, timeStamp });

test("A movement to and fro over strokes scratches out those and no others.", () => {
  const strokes = [diagonal("x", 10, 10, 30, 40), diagonal("y", 40, 12, 60, 38), diagonal("z", 200, 10, 220, 40)];

  assert.deepEqual(scratchedOut(zigzag(5, 8, 65, 42, 7), strokes), ["x", "y"]);
});

test("A movement from top to bottom and back scratches out, too.", () => {
  const points = zigzag(8, 5, 42, 65, 7).map(([x, y, p]) => [y, x, p]);
  const turned = [stroke("x", [10, 10], [60, 40])];

  assert.deepEqual(scratchedOut(points, turned), ["x"]);
});

test("A zigzag over an empty place is writing.", () => {
  assert.deepEqual(scratchedOut(zigzag(100, 100, 160, 140, 8), [diagonal("x", 0, 0, 20, 20)]), []);
});

test("Crossing a stroke once, as the bar of a plus does, is writing.", () => {
  assert.deepEqual(scratchedOut(stroke("-", [0, 10], [20, 10]).points, [stroke("|", [10, 0], [10, 20])]), []);
});

test("The letter w written over a stroke is writing: it goes to and fro too seldom.", () => {
  const w = [[0, 0], [5, 20], [10, 5], [15, 20], [20, 0]].map(([x, y]) => [x, y, 0.5]);

  assert.deepEqual(scratchedOut(w, [diagonal("x", 2, 2, 18, 18)]), []);
});

test("Sweeps are counted by hand: three there, two back; trembling does not count.", () => {
  assert.equal(sweeps([0, 10, 0, 10, 0, 10]), 5);
  assert.equal(sweeps([0, 5, 4, 6, 5, 10]), 1);
  assert.equal(sweeps([3, 3, 3]), 0);
});

test("A loop encloses what lies within it and not what lies in its bay.", () => {
  const bay = [[0, 0], [30, 0], [30, 30], [20, 30], [20, 10], [10, 10], [10, 30], [0, 30]];

  assert.equal(encloses(bay, 5, 20), true);
  assert.equal(encloses(bay, 15, 20), false);
  assert.equal(encloses(bay, 15, 5), true);
});

test("A loop means a stroke of which most lies within.", () => {
  const loop = [[0, 0], [50, 0], [50, 50], [0, 50]];

  assert.equal(lassoed(loop, stroke("a", [10, 10], [20, 20], [30, 30])), true);
  assert.equal(lassoed(loop, stroke("b", [40, 10], [60, 10], [80, 10])), false);
});

test("One pointer writes; a second mouse or pen is ignored until it is lifted.", () => {
  const pointers = new Pointers();

  assert.equal(pointers.down(at(1, "mouse", 0)), "write");
  assert.equal(pointers.down(at(2, "mouse", 10)), "ignore");
  pointers.up(at(1, "mouse", 20));
  assert.equal(pointers.down(at(2, "mouse", 30)), "write");
});

test("A palm is ignored while a pen is near, and a while after.", () => {
  const pointers = new Pointers();
  pointers.seen(at(1, "pen", 1000));

  assert.equal(pointers.down(at(2, "touch", 1500)), "ignore");
  assert.equal(pointers.down(at(3, "touch", 5000)), "write");
});

test("A pen takes over from the palm that came down before it.", () => {
  const pointers = new Pointers();
  pointers.down(at(1, "touch", 0));

  assert.equal(pointers.down(at(2, "pen", 50)), "takeOver");
  assert.equal(pointers.writes(at(2, "pen", 60)), true);
  assert.equal(pointers.writes(at(1, "touch", 60)), false);
});

test("Two fingers at once move the paper; a second finger later is ignored.", () => {
  const together = new Pointers();
  together.down(at(1, "touch", 0));
  assert.equal(together.down(at(2, "touch", 100)), "pinch");
  assert.equal(together.writes(at(1, "touch", 110)), false);
  assert.equal(together.down(at(3, "touch", 120)), "ignore");

  const apart = new Pointers();
  apart.down(at(1, "touch", 0));
  assert.equal(apart.down(at(2, "touch", 900)), "ignore");
  assert.equal(apart.writes(at(1, "touch", 910)), true);
});

test("After two fingers were lifted, one writes again.", () => {
  const pointers = new Pointers();
  pointers.down(at(1, "touch", 0));
  pointers.down(at(2, "touch", 100));
  pointers.up(at(1, "touch", 200));
  pointers.up(at(2, "touch", 210));

  assert.equal(pointers.down(at(4, "touch", 300)), "write");
});
