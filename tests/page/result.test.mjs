import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, glyph, latexOf, tokensOf } from "../../src/inktex/service/static/latex.js";
import { carried, choices, paired, readingOf, shiftedReading, unitsOf, unsure } from "../../src/inktex/service/static/result.js";
import { answer, element } from "./made.mjs";

const here = (box) => box;
const read = (tokens, options) => readingOf(answer(tokens, options), here);
const shown = (reading, math) => {
  const units = unitsOf(math);
  return paired(reading.marks, units).map((mark, i) => [units[i].text, reading.marks[mark]?.token ?? null]);
};

test("LaTeX is cut into tokens and joined again with spaces only where they are needed.", () => {
  const latex = String.raw`\frac{\alpha x}{2}\{\begin{matrix}a&b\end{matrix}`;

  assert.deepEqual(tokensOf(String.raw`\alpha x+\{`), [String.raw`\alpha`, "x", "+", String.raw`\{`]);
  assert.equal(latexOf(tokensOf(latex)), latex);
});

test("Differences are those that a person finds.", () => {
  assert.deepEqual(differences([..."x+2y"], [..."x+zy"]), [{ from: [2, 3], to: [2, 3] }]);
  assert.deepEqual(differences([..."ab"], [..."abc"]), [{ from: [2, 2], to: [2, 3] }]);
  assert.deepEqual(differences([..."same"], [..."same"]), []);
});

test("The least sure symbols are marked, three at most, and never braces.", () => {
  const reading = read(["a", "^", "{", "b", "}", "c", "d"], { confidences: [0.7, 0.1, 0.1, 0.5, 0.1, 0.6, 0.2] });

  assert.deepEqual(unsure(reading.marks).map((i) => reading.marks[i].token), ["b", "c", "d"]);
  assert.deepEqual(unsure(read(["a"], { confidences: [0.95] }).marks), []);
});

test("Another reading offers what stands in the symbol's place, with the rest unchanged.", () => {
  const reading = read(["x", "^", "{", "2", "}", "+", "1"], { alternatives: ["x^{2}+l", "x^{z}+1", "y^{2}+1", "x^2+7"] });

  assert.deepEqual(choices(reading, 6).map(({ shown: look }) => look), ["l", "7"]);
  assert.deepEqual(choices(reading, 3).map(({ tokens }) => latexOf(tokens)), ["x^{z}+1"]);
  assert.deepEqual(choices(reading, 5), []);
});

test("What recognition itself says of a symbol comes first, and nothing is offered twice.", () => {
  const reading = read(["2", "+", "y"], { alternatives: ["z+y", "a+y"] });
  reading.marks[0].others = [{ token: "z", confidence: 0.3 }];

  assert.deepEqual(choices(reading, 0).map(({ shown: look }) => look), ["z", "a"]);
});

test("A symbol that may be two is offered as two.", () => {
  const [choice] = choices(read(["a", "d", "b"], { alternatives: ["aclb"] }), 1);

  assert.deepEqual([choice.shown, choice.tokens], ["cl", ["a", "c", "l", "b"]]);
});

test("Symbols that a correction leaves keep their marks; a new one stands where the old stood.", () => {
  const { marks } = read(["x", "+", "2"], { confidences: [0.9, 0.8, 0.3] });

  const after = carried(marks, ["x", "+", "z", "y"]);

  assert.equal(after[0], marks[0]);
  assert.deepEqual(after[2], { token: "z", confidence: 1, box: marks[2].box, others: [] });
  assert.deepEqual(after[3], { token: "y", confidence: 1, box: null, others: [] });
});

test("Boxes are put where the picture lies on the sheet, and move with it.", () => {
  const reading = readingOf({ ...answer(["x"]), unknown: [{ box: [0, 0, 2, 2] }] }, ({ left, top, right, bottom }) => ({
    left: 100 + left / 2, top: top / 2, right: 100 + right / 2, bottom: bottom / 2,
  })); // prettier-ignore

  assert.deepEqual(reading.marks[0].box, { left: 100, top: 0, right: 104, bottom: 10 });
  assert.deepEqual(reading.unknown, [{ left: 100, top: 0, right: 101, bottom: 1 }]);
  assert.deepEqual(shiftedReading(reading, [1, 2]).marks[0].box, { left: 101, top: 2, right: 105, bottom: 12 });
});

test("Each part of a typeset fraction is paired with its token, the bar with the fraction itself.", () => {
  const reading = read(["\\frac", "{", "-", "b", "}", "{", "2", "a", "}"]);
  const math = element("math", element("mfrac",
    element("mrow", element("mo", "−"), element("mi", "b")),
    element("mrow", element("mn", "2"), element("mi", "a")))); // prettier-ignore

  assert.deepEqual(shown(reading, math), [["―", "\\frac"], ["−", "-"], ["b", "b"], ["2", "2"], ["a", "a"]]);
});

test("Roots with an index, accents and unknown commands find their tokens, invisible signs none.", () => {
  const reading = read(["\\sqrt", "[", "3", "]", "{", "x", "}", "\\hat", "{", "y", "}", "\\sin", "z", "\\lessgtr"]);
  const math = element("math",
    element("mroot", element("mi", "x"), element("mn", "3")),
    element("mover", { accent: "true" }, element("mi", "y"), element("mo", "^")),
    element("mi", "sin"), element("mo", "\u2061"), element("mi", "z"), element("mo", "≶")); // prettier-ignore

  assert.deepEqual(shown(reading, math), [
    ["√", "\\sqrt"], ["3", "3"], ["x", "x"], ["^", "\\hat"], ["y", "y"], ["sin", "\\sin"], ["z", "z"], ["≶", "\\lessgtr"],
  ]); // prettier-ignore
});

test("Equal symbols are paired in their order, also where one is not shown.", () => {
  const reading = read(["x", "x", "+", "x"]);
  const math = element("math", element("mi", "x"), element("mo", "+"), element("mi", "x"));

  const pairs = paired(reading.marks, unitsOf(math));

  assert.deepEqual(pairs.slice(1), [2, 3]);
  assert.ok(pairs[0] === 0 || pairs[0] === 1);
});

test("Commands show as their characters, functions as words.", () => {
  assert.deepEqual(["\\alpha", "\\leq", "\\sin", "-", "x", "\\{"].map(glyph), ["α", "≤", "sin", "−", "x", "{"]);
});
