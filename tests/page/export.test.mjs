import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 as nodeCrc32 } from "node:zlib";
import { asDocument, asText, withNamespace } from "../../src/inktex/service/static/export.js";
import { asInkml } from "../../src/inktex/service/static/inkml.js";
import { crc32, zipped } from "../../src/inktex/service/static/zip.js";

const NAMESPACE = 'xmlns="http://www.w3.org/1998/Math/MathML"';
const reading = {
  latex: "a < b",
  mathml: "<math><mi>a</mi></math>",
  formats: { typst: "a < b", asciimath: "a lt b" },
  marks: [],
};

test("LaTeX is copied bare and in each of its delimiters.", () => {
  const forms = ["latex", "inline", "dollars", "brackets"].map((format) => asText(reading, format));

  assert.deepEqual(forms, ["a < b", "$a < b$", "$$a < b$$", "\\[ a < b \\]"]);
});

test("MathML is copied with its namespace, once.", () => {
  assert.equal(asText(reading, "mathml"), `<math ${NAMESPACE}><mi>a</mi></math>`);
  assert.equal(withNamespace(`<math ${NAMESPACE}/>`), `<math ${NAMESPACE}/>`);
});

test("What a reading cannot be written as is not offered.", () => {
  assert.equal(asText({ ...reading, formats: {} }, "typst"), "");
  assert.equal(asText(reading, "asciimath"), "a lt b");
});

test("A sheet is one document with all formulas in their order.", () => {
  const both = [reading, { ...reading, latex: "c", formats: {} }];
  const about = { title: "A & B", language: "de" };

  const [tex, html, typ] = ["tex", "html", "typ"].map((format) => asDocument(both, format, about));

  assert.match(tex, /\\begin\{document\}[^]*a < b[^]*\\\][^]*\\\[\s+c\s[^]*\\end\{document\}/u);
  assert.match(html, /<html lang="de">[^]*<title>A &amp; B<\/title>[^]*<mi>a<\/mi>/u);
  assert.match(typ, /^\$ a < b \$\n\n\/\/ no Typst for: c\n$/u);
});

test("Ink is written as InkML with writer and truth, its markup escaped.", () => {
  const text = asInkml({ id: "x1", strokes: [[[0, 1.234, 0.5], [2, 3, 0.5]], [[4, 5, 0.5]]], latex: "a < b & c" }, 'J "B"');

  assert.match(text, /<annotation type="truth">\$a &lt; b &amp; c\$<\/annotation>/u);
  assert.match(text, /<annotation type="writer">J &quot;B&quot;<\/annotation>/u);
  assert.match(text, /<trace id="0">0 1.23, 2 3<\/trace>\n {2}<trace id="1">4 5<\/trace>/u);
});

test("The checksum is that of zlib.", { skip: nodeCrc32 ? false : "this node has no zlib.crc32" }, () => {
  const bytes = new TextEncoder().encode("Inktex, ink → LaTeX");

  assert.equal(crc32(bytes), nodeCrc32(bytes));
});

test("The checksum of the nine digits is the published one.", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

test("Python's zipfile finds no fault in an archive and reads its files back.", () => {
  const folder = mkdtempSync(join(tmpdir(), "zip"));
  const files = [{ name: "a/α.txt", text: "one" }, { name: "b.txt", text: "" }];
  writeFileSync(join(folder, "x.zip"), zipped(files));
  const script =
    "import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); " +
    "print(json.dumps([z.testzip(), {n: z.read(n).decode() for n in z.namelist()}]))";
  try {
    const answer = execFileSync("python3", ["-c", script, join(folder, "x.zip")], { encoding: "utf8" });
    assert.deepEqual(JSON.parse(answer), [null, { "a/α.txt": "one", "b.txt": "" }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
