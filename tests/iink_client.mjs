// Reads strokes with both REST recognizers of iink-ts; standard input is {host, applicationKey, hmacKey, types,
// inks}, standard output a list of {v1, v2}, each by type. Run in a folder with node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const library = require.resolve("iink-ts").replace("iink.min.js", "iink.esm.js");
const { Model, RecognizerHTTPV1, RecognizerHTTPV2, convertPartialStrokesToStrokes } = await import(
  pathToFileURL(library)
);

const { host, applicationKey, hmacKey, types, inks } = JSON.parse(readFileSync(0, "utf8"));
const configuration = { server: { scheme: "http", host, applicationKey, hmacKey }, recognition: { type: "MATH" } };
const answers = [];
for (const ink of inks) {
  const strokes = convertPartialStrokesToStrokes(
    ink.map((stroke) => ({ pointerType: "pen", pointers: stroke.map(([x, y], t) => ({ x, y, t, p: 0.5 })) })),
  );
  const model = new Model(400, 300);
  for (const stroke of strokes) model.addStroke(stroke);
  const answer = {};
  try {
    answer.v1 = (await new RecognizerHTTPV1(configuration).export(model, types)).exports;
    answer.v2 = await new RecognizerHTTPV2(configuration).send(strokes, types);
  } catch (error) {
    answer.error = error.message;
  }
  answers.push(answer);
}
console.log(JSON.stringify(answers));
