import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsOf, course, distanceTo, lengthOf, newId, plain, symbolSize, widthAt } from "../../src/inktex/service/static/ink.js";
import { diagonal, stroke } from "./made.mjs";

test("The drawn course begins and ends where the pen did, and each piece goes on where the last ended.", () => {
  const { points } = stroke("a", [0, 0], [10, 0], [10, 10], [0, 10]);

  const segments = course(points, 3);

  assert.deepEqual([segments[0].x0, segments[0].y0], [0, 0]);
  assert.deepEqual([segments.at(-1).x1, segments.at(-1).y1], [0, 10]);
  for (let i = 1; i < segments.length; i++) {
    assert.deepEqual([segments[i].x0, segments[i].y0], [segments[i - 1].x1, segments[i - 1].y1]);
  }
});

test("The course of a straight line is straight.", () => {
  const { points } = stroke("a", [0, 0], [4, 2], [6, 3], [20, 10]);

  for (const { x0, y0, cx, cy, x1, y1 } of course(points, 3)) {
    for (const [x, y] of [[x0, y0], [cx, cy], [x1, y1]]) assert.equal(y, x / 2);
  }
});

test("A line grows wider with pressure, and has the pen's width without a pressure of its own.", () => {
  assert.equal(widthAt(0.5, 3), 3);
  assert.ok(widthAt(0.1, 3) < widthAt(0.5, 3) && widthAt(0.5, 3) < widthAt(1, 3));
});

test("The distance to a stroke is that to its nearest piece, also between two points.", () => {
  const { points } = stroke("a", [0, 0], [10, 0]);

  assert.equal(distanceTo(points, 5, 3), 3);
  assert.equal(distanceTo(points, 13, 4), 5);
  assert.equal(distanceTo([[1, 1, 1]], 4, 5), 5);
});

test("Length and bounds of a path of three, four and five are those of the triangle.", () => {
  const { points } = stroke("a", [0, 0], [3, 0], [3, 4], [0, 0]);

  assert.equal(lengthOf(points), 12);
  assert.deepEqual(boundsOf(points), { left: 0, top: 0, right: 3, bottom: 4 });
});

test("Dots do not count for the size of a typical symbol.", () => {
  const letters = [diagonal("a", 0, 0, 20, 40), diagonal("b", 30, 0, 50, 44), diagonal("c", 60, 0, 80, 42)];
  const dots = ["d", "e", "f", "g"].map((id) => stroke(id, [5, -10]));

  assert.equal(symbolSize([...letters, ...dots]), 42);
  assert.equal(symbolSize(dots), 0);
});

test("No point is lost on the way to the recognizer.", () => {
  const points = Array.from({ length: 500 }, (_, i) => [i / 3, Math.sin(i), 0.2]);

  const [sent] = plain([{ id: "a", kind: "stroke", points }]);

  assert.equal(sent.length, 500);
  sent.forEach(([x, y], i) => {
    assert.ok(Math.abs(x - points[i][0]) <= 0.005 && Math.abs(y - points[i][1]) <= 0.005);
  });
});

test("Names differ even when they are given at once.", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, newId)).size, 1000);
});
