import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ALL_TEXTS, bestLanguage, LANGUAGES, speak, t } from "../../src/inktex/service/static/i18n.js";

const folder = new URL("../../src/inktex/service/static/", import.meta.url);
const names = readdirSync(folder).filter((name) => /\.(js|html)$/u.test(name) && name !== "i18n.js");
const source = names.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
const placeholders = (text) => [...text.matchAll(/\{\w+\}/gu)].map(String).sort();

test("Every text is there in every language, with the same places to fill in.", () => {
  for (const [key, texts] of Object.entries(ALL_TEXTS)) {
    assert.equal(texts.length, Object.keys(LANGUAGES).length, key);
    for (const text of texts) {
      assert.ok(text.trim(), key);
      assert.deepEqual(placeholders(text), placeholders(texts[0]), key);
    }
  }
});

test("Every text that the page names is there, and every text there is is used.", () => {
  const named = [...source.matchAll(/(?:\bt\(|data-i18n(?:-label|-title)?=)"(\w+)"/gu)].map((match) => match[1]);

  assert.deepEqual(named.filter((key) => !(key in ALL_TEXTS)), []);
  assert.deepEqual(Object.keys(ALL_TEXTS).filter((key) => !source.includes(`"${key}"`)), []);
});

test("The first language that the page has is spoken, English where it has none.", () => {
  assert.equal(bestLanguage(["pt-BR", "fr-CH", "de"]), "fr");
  assert.equal(bestLanguage(["zh-TW"]), "zh");
  assert.equal(bestLanguage(["pt"]), "en");
});

test("Values are put in for their names.", () => {
  speak("de");
  assert.equal(t("formula", { n: 3 }), "Formel 3");
  speak("en");
  assert.equal(t("sureness", { percent: 5 }), "5 % sure");
});
