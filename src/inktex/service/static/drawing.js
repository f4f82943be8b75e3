// A typeset formula as a drawing: SVG of plain text and lines that every program shows, and PNG of that.

import { escaped } from "./export.js";

const MARGIN = 8;
const FONTS = "'Latin Modern Math', 'STIX Two Math', 'Cambria Math', 'Times New Roman', serif";
const TALL = /[()[\]{}|∥⟨⟩⌊⌋⌈⌉∑∏∫∬∮⋃⋂]/u; // what grows with what it encloses or sums
const PNG_SCALE = 4;

/**
 * The SVG of a typeset formula as it lies on the page.
 * @param {Element} math
 * @param {string} [color]
 * @returns {{svg: string, width: number, height: number}} sizes in pixels
 */
export function asSvg(math, color = "#000") {
  const bounds = math.getBoundingClientRect();
  const pieces = [...math.querySelectorAll("mi, mn, mo, mtext, mfrac, msqrt, mroot, mrow")].flatMap(drawn);
  const boxes = [bounds, ...pieces.map((piece) => piece.box)];
  const left = Math.min(...pieces.map((piece) => piece.box.left)) - MARGIN;
  const right = Math.max(...pieces.map((piece) => piece.box.right)) + MARGIN;
  const top = Math.min(...boxes.map((box) => box.top)) - MARGIN;
  const bottom = Math.max(...boxes.map((box) => box.bottom)) + MARGIN;
  const [width, height] = [Math.ceil(right - left), Math.ceil(bottom - top)];
  const body = pieces.map((piece) => piece.svg).join("\n");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<g transform="translate(${round(-left)} ${round(-top)})" fill="${color}" stroke="none" font-family="${FONTS}">
${body}
</g>
</svg>
`;
  return { svg, width, height };
}

/** @typedef {{svg: string, box: {left: number, top: number, right: number, bottom: number}}} Piece */

/**
 * @param {Element} element
 * @returns {Piece[]}
 */
function drawn(element) {
  if (element.localName === "mrow") return overline(element);
  if (element.localName === "mfrac") return fractionBar(element);
  if (element.localName === "msqrt" || element.localName === "mroot") return radical(element);
  const written = (element.textContent ?? "").trim();
  const style = getComputedStyle(element);
  const slanted = element.localName === "mi" && element.getAttribute("mathvariant") !== "normal";
  const text = slanted && style.textTransform !== "none" ? italic(written) : written;
  if (!text || /^[\u2061-\u2064]$/u.test(text) || style.color === "rgba(0, 0, 0, 0)") return [];
  return [letters(element, text, style)];
}

/**
 * @param {Element} element
 * @param {string} text
 * @param {CSSStyleDeclaration} style
 * @returns {Piece}
 */
function letters(element, text, style) {
  const measure = measured(text, style);
  const box = element.getBoundingClientRect();
  const bold = Number(style.fontWeight) >= 600 ? ' font-weight="bold"' : "";
  const size = `font-size="${round(parseFloat(style.fontSize))}"${bold}`;
  if (element.localName === "mo" && TALL.test(text) && box.height > 1.35 * measure.inkHeight) {
    const [across, down] = [Math.max(1, box.width / measure.advance), box.height / measure.inkHeight];
    const place = `translate(${round(box.left)} ${round(box.top + measure.inkAscent * down)})`;
    const scale = `scale(${round(Math.min(across, down))} ${round(down)})`;
    return { svg: `<text transform="${place} ${scale}" ${size}>${escaped(text)}</text>`, box };
  }
  const range = document.createRange();
  range.selectNodeContents(element);
  const line = range.getBoundingClientRect();
  // The space around an operator is part of its box.
  const left = element.localName === "mo" ? box.left + (box.width - measure.advance) / 2 : line.left;
  const baseline = line.top + (line.height - measure.height) / 2 + measure.ascent;
  const svg = `<text x="${round(left)}" y="${round(baseline)}" ${size}>${escaped(text)}</text>`;
  return { svg, box };
}

/** First letters of runs of the alphabet, how many follow, and where their mathematical italics begin. */
const ITALICS = [
  ["A", 26, 0x1d434],
  ["a", 26, 0x1d44e],
  ["Α", 25, 0x1d6e2],
  ["α", 25, 0x1d6fc],
].map(([first, count, italics]) => [String(first).charCodeAt(0), Number(count), Number(italics)]);

/**
 * A single letter as browsers show it in mathematics; more letters stay upright.
 * @param {string} text
 */
function italic(text) {
  const code = text.charCodeAt(0);
  if (text.length > 1) return text;
  if (text === "h") return "\u210e"; // older than its alphabet, whose place for it is empty
  const run = ITALICS.find(([first, count]) => code >= first && code < first + count);
  return run ? String.fromCodePoint(run[2] + code - run[0]) : text;
}

/**
 * @param {string} text
 * @param {CSSStyleDeclaration} style
 */
function measured(text, style) {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const metrics = context.measureText(text);
  return {
    ascent: metrics.fontBoundingBoxAscent,
    height: metrics.fontBoundingBoxAscent + metrics.fontBoundingBoxDescent,
    advance: Math.max(1, metrics.width),
    inkAscent: metrics.actualBoundingBoxAscent,
    inkHeight: Math.max(1, metrics.actualBoundingBoxAscent + metrics.actualBoundingBoxDescent),
  };
}

/**
 * @param {Element} row that may have a line above
 * @returns {Piece[]}
 */
function overline(row) {
  if (parseFloat(getComputedStyle(row).borderTopWidth) === 0) return [];
  const box = row.getBoundingClientRect();
  return [
    {
      svg: line(
        [
          [box.left, box.top],
          [box.right, box.top],
        ],
        row,
      ),
      box,
    },
  ];
}

/**
 * @param {Element} fraction
 * @returns {Piece[]}
 */
function fractionBar(fraction) {
  if (fraction.getAttribute("linethickness") === "0") return [];
  const box = fraction.getBoundingClientRect();
  const [above, below] = [...fraction.children].map((child) => child.getBoundingClientRect());
  const middle = (above.bottom + below.top) / 2;
  return [
    {
      svg: line(
        [
          [box.left + 1, middle],
          [box.right - 1, middle],
        ],
        fraction,
      ),
      box,
    },
  ];
}

/**
 * @param {Element} root
 * @returns {Piece[]}
 */
function radical(root) {
  const box = root.getBoundingClientRect();
  const inside = [...root.children]
    .slice(0, root.localName === "mroot" ? 1 : undefined)
    .map((child) => child.getBoundingClientRect());
  const left = Math.min(...inside.map((each) => each.left));
  const top = Math.min(...inside.map((each) => each.top));
  const bottom = Math.max(...inside.map((each) => each.bottom));
  const size = parseFloat(getComputedStyle(root).fontSize);
  const bar = Math.max(box.top + 1, top - size * 0.12);
  const start = left - size * 0.6;
  const middle = (bar + bottom) / 2;
  const places = [
    [start, middle + size * 0.1],
    [start + size * 0.14, middle],
    [start + size * 0.32, bottom + 1],
    [left - size * 0.06, bar],
    [box.right, bar],
  ];
  return [
    { svg: line(places, root), box: { left: Math.min(box.left, start), top: bar, right: box.right, bottom } },
  ];
}

/**
 * @param {number[][]} places
 * @param {Element} element whose font size sets the width
 */
function line(places, element) {
  const width = Math.max(1, parseFloat(getComputedStyle(element).fontSize) * 0.05);
  const points = places.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
  return `<polyline points="${points}" fill="none" stroke="currentColor" stroke-width="${round(width)}"/>`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

/**
 * A PNG on white, large enough for print.
 * @param {{svg: string, width: number, height: number}} drawing
 * @returns {Promise<Blob>}
 */
export async function asPng({ svg, width, height }) {
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * PNG_SCALE;
  canvas.height = height * PNG_SCALE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}
