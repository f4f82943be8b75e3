// What leaves the page: LaTeX in its delimiters, and a sheet as a document.

/** @typedef {import("./result.js").Reading} Reading */

/** @typedef {"latex" | "inline" | "dollars" | "brackets" | "mathml" | "typst" | "asciimath"} TextFormat */

const XMLNS = 'xmlns="http://www.w3.org/1998/Math/MathML"';

/**
 * A reading as text.
 * @param {Reading} reading
 * @param {TextFormat} format
 * @returns {string} "" where the reading has no such form
 */
export function asText(reading, format) {
  const { latex, formats } = reading;
  switch (format) {
    case "latex":
      return latex;
    case "inline":
      return `$${latex}$`;
    case "dollars":
      return `$$${latex}$$`;
    case "brackets":
      return `\\[ ${latex} \\]`;
    case "mathml":
      return withNamespace(formats.mathml ?? reading.mathml);
    default:
      return formats[format] ?? "";
  }
}

/**
 * MathML that stands for itself, as Word wants it.
 * @param {string} mathml
 */
export function withNamespace(mathml) {
  return mathml.includes("xmlns=") ? mathml : mathml.replace(/^\s*<math\b/u, `<math ${XMLNS}`);
}

/** @typedef {"tex" | "html" | "typ"} DocumentFormat */

/** @type {Record<DocumentFormat, string>} */
export const DOCUMENT_TYPES = { tex: "application/x-tex", html: "text/html", typ: "text/plain" };

/**
 * A document with all formulas of a sheet, each displayed on its own.
 * @param {Reading[]} readings from top to bottom
 * @param {DocumentFormat} format
 * @param {{title: string, language: string}} about
 */
export function asDocument(readings, format, { title, language }) {
  if (format === "tex") return texDocument(readings);
  if (format === "typ") return typstDocument(readings);
  return htmlDocument(readings, title, language);
}

/** @param {Reading[]} readings */
function texDocument(readings) {
  const body = readings.map(({ latex }) => `\\[\n  ${latex}\n\\]`).join("\n\n");
  const head = "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n";
  return `${head}\\begin{document}\n\n${body}\n\n\\end{document}\n`;
}

/** @param {Reading[]} readings */
function typstDocument(readings) {
  return readings
    .map(({ formats, latex }) =>
      formats.typst ? `$ ${formats.typst} $\n` : `// no Typst for: ${oneLine(latex)}\n`,
    )
    .join("\n");
}

/**
 * @param {Reading[]} readings
 * @param {string} title
 * @param {string} language
 */
function htmlDocument(readings, title, language) {
  const body = readings
    .map((reading) => asText(reading, "mathml") || `<p><code>${escaped(reading.latex)}</code></p>`)
    .join("\n");
  return `<!doctype html>
<html lang="${escaped(language)}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>math { font-size: 1.4em; margin: 1em 0 }</style>
${body}
</html>
`;
}

/** @param {string} text */
export function escaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\s+/gu, " ");
}
