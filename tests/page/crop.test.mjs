import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chained, cutoutSize, dragged, isConvex, mapped, projection, rectangle, squared, turned, warped,
} from "../../src/inktex/service/static/crop.js"; // prettier-ignore

const near = (a, b, tolerance = 1e-6) => a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < tolerance, `${a} is not ${b}`));

/** A picture whose red is ten times its column and whose green is ten times its row. */
function ramp(width, height) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) data.set([10 * (i % width), 10 * Math.floor(i / width), 0, 255], 4 * i);
  return { data, width, height };
}

test("A projection takes its four corners where they belong, and straight lines to straight lines.", () => {
  const corners = [[10, 20], [110, 5], [130, 90], [0, 70]];
  const map = projection(rectangle(200, 100), corners);

  rectangle(200, 100).forEach(([x, y], i) => near(mapped(map, x, y), corners[i]));
  const [a, b, c] = [0, 60, 200].map((x) => mapped(map, x, 40));
  near([(b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])], [0]);
});

test("Chained maps do what one does after the other.", () => {
  const first = projection(rectangle(10, 10), [[1, 2], [9, 1], [12, 11], [0, 8]]);
  const then = turned(12, 11, 30).matrix;

  near(mapped(chained(first, then), 3, 4), mapped(then, ...mapped(first, 3, 4)));
});

test("Turned by a right angle, what was upper left is upper right.", () => {
  const { width, height, matrix } = turned(30, 20, 90);

  assert.deepEqual([width, height], [20, 30]);
  near(mapped(matrix, 20, 0), [0, 0]);
  near(mapped(matrix, 0, 0), [0, 20]);
});

test("A tilted picture lies within its new size, with its middle in the middle.", () => {
  const { width, height, matrix } = turned(300, 200, 10);

  near(mapped(matrix, width / 2, height / 2), [150, 100]);
  const back = (x, y) => turned(300, 200, -10).matrix && mapped(matrix, x, y);
  near([back(width, 0)[0] >= 299 || back(width, 0)[1] <= 1 ? 1 : 0], [1]);
  assert.ok(width > 300 && height > 200);
});

test("A cutout of the whole is the picture itself.", () => {
  const source = ramp(6, 4);

  const pixels = warped(source, projection(rectangle(6, 4), rectangle(6, 4)), 6, 4);

  assert.deepEqual(pixels, source.data);
});

test("A cropped cutout holds the pixels within, at half the size the mean of each four.", () => {
  const source = ramp(8, 8);
  const corners = [[2, 4], [6, 4], [6, 8], [2, 8]];

  const same = warped(source, projection(rectangle(4, 4), corners), 4, 4);
  const half = warped(source, projection(rectangle(2, 2), corners), 2, 2);

  assert.deepEqual([...same.slice(0, 4)], [20, 40, 0, 255]);
  assert.deepEqual([...same.slice(-4)], [50, 70, 0, 255]);
  assert.deepEqual([...half.slice(0, 3)], [25, 45, 0]);
});

test("Beyond its edge a picture goes on as its border.", () => {
  const pixels = warped(ramp(4, 4), projection(rectangle(2, 2), [[-9, -9], [-1, -9], [-1, -1], [-9, -1]]), 2, 2);

  assert.deepEqual([...pixels.slice(0, 4)], [0, 0, 0, 255]);
});

test("The cutout is as large as its longer sides, unless that is too long.", () => {
  const corners = [[0, 0], [100, 0], [90, 50], [0, 40]];

  assert.deepEqual(cutoutSize(corners, 1000), { width: 100, height: Math.round(Math.hypot(10, 50)) });
  assert.deepEqual(cutoutSize(rectangle(4000, 1000), 1600), { width: 1600, height: 400 });
});

test("The corners of a crop stay a rectangle within the picture.", () => {
  const picture = { width: 100, height: 80, free: false };

  assert.deepEqual(dragged(rectangle(100, 80), 0, [10, 20], picture), [[10, 20], [100, 20], [100, 80], [10, 80]]);
  assert.deepEqual(dragged(rectangle(100, 80), 2, [500, 60], picture), [[0, 0], [100, 0], [100, 60], [0, 60]]);
});

test("Free corners go alone, and never fold the frame.", () => {
  const picture = { width: 100, height: 80, free: true };

  assert.deepEqual(dragged(rectangle(100, 80), 1, [90, 10], picture), [[0, 0], [90, 10], [100, 80], [0, 80]]);
  assert.deepEqual(dragged(rectangle(100, 80), 0, [99, 79], picture), rectangle(100, 80));
  assert.equal(isConvex(rectangle(10, 10)), true);
});

test("The rectangle around free corners holds them all.", () => {
  assert.deepEqual(squared([[5, 3], [90, 10], [100, 70], [2, 80]]), [[2, 3], [100, 3], [100, 80], [2, 80]]);
});
