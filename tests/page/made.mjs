// Ink and elements for the tests.

/** A stroke through points given as [x, y]. */
export function stroke(id, ...points) {
  return { id, kind: "stroke", points: points.map(([x, y]) => [x, y, 0.5]) };
}

/** A stroke along a box's diagonal, so that the box is its bounds. */
export function diagonal(id, left, top, right, bottom) {
  return stroke(id, [left, top], [(left + right) / 2, (top + bottom) / 2], [right, bottom]);
}

/** A movement to and fro across a box, a number of times. */
export function zigzag(left, top, right, bottom, sweeps) {
  const points = [];
  for (let i = 0; i <= sweeps; i++) points.push([i % 2 ? right : left, top + ((bottom - top) * i) / sweeps, 0.5]);
  return points.flatMap((point, i) => {
    const next = points[i + 1];
    return next ? [0, 0.25, 0.5, 0.75].map((f) => point.map((v, k) => v + (next[k] - v) * f)) : [point];
  });
}

/** As much of a MathML element as the page's pure functions look at. */
export function element(localName, ...content) {
  const [first, ...rest] = content;
  const attributes = first && typeof first === "object" && !("localName" in first) ? first : {};
  const inside = attributes === first ? rest : content;
  const children = inside.filter((part) => typeof part === "object");
  return {
    localName,
    children,
    getAttribute: (name) => attributes[name] ?? null,
    textContent: inside.map((part) => (typeof part === "string" ? part : part.textContent)).join(""),
  };
}

/** What a recognizer answers for tokens that all stand in a row, 10 units wide each. */
export function answer(tokens, { confidences = [], alternatives = [], mathml = "<math/>" } = {}) {
  const written = (token) => !["{", "}", "^", "_"].includes(token);
  return {
    latex: tokens.join(" "),
    mathml,
    confidence: 0.9,
    formats: {},
    alternatives: alternatives.map((latex) => ({ latex, mathml: "<math/>", confidence: 0.1 })),
    details: tokens.map((token, i) => ({
      token,
      confidence: confidences[i] ?? 1,
      box: written(token) ? [10 * i, 0, 10 * i + 8, 20] : null,
    })),
  };
}
