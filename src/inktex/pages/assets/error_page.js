"use strict";
(() => {
  // Expressions are put into the page a chunk at a time, when they come near the window.
  const CHUNK = 25;
  const NEAR = "1200px";

  const data = document.getElementById("rows");
  const rows = JSON.parse(data.textContent);
  data.textContent = "";
  const list = document.getElementById("list");
  const count = document.getElementById("count");
  const query = document.getElementById("query");
  const most = document.getElementById("most");
  const order = document.getElementById("order");
  const collator = new Intl.Collator("en", { numeric: true });

  const right = (row) => row.distance === 0 && row.prediction !== null;
  const KINDS = {
    all: ["All", () => true],
    wrong: ["Wrong", (row) => !right(row)],
    right: ["Right", right],
    malformed: ["Not well-formed", (row) => row.malformed],
    missing: ["No prediction", (row) => row.prediction === null],
  };
  const KEYS = {
    distance: (row) => row.distance,
    length: (row) => row.length,
    confidence: (row) => row.confidence,
  };

  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  function choice(type, name, value, text, number) {
    const input = make("input", "");
    Object.assign(input, { type, name, value });
    return make("label", "", input, `${text} `, make("b", "", number.toLocaleString("en")));
  }

  function fillControls() {
    const shown = document.getElementById("shown");
    for (const [value, [text, test]] of Object.entries(KINDS)) {
      const number = rows.filter(test).length;
      if (number || value === "all" || value === "wrong" || value === "right") {
        shown.append(choice("radio", "shown", value, text, number));
      }
    }
    shown.querySelector("input").checked = true;
    const numbers = new Map();
    for (const row of rows) for (const name of row.structures) numbers.set(name, (numbers.get(name) || 0) + 1);
    const structures = document.getElementById("structures");
    for (const [name, number] of [...numbers].sort((a, b) => b[1] - a[1])) {
      structures.append(choice("checkbox", "structure", name, name, number));
    }
    structures.hidden = numbers.size === 0;
    if (rows.every((row) => row.confidence === null)) {
      order.querySelectorAll('[value^="confidence"]').forEach((option) => option.remove());
    }
    document.body.classList.toggle("no-pictures", rows.every((row) => !row.picture));
  }

  function filters() {
    const form = new FormData(document.getElementById("controls"));
    const tests = [KINDS[form.get("shown")][1]];
    const structures = form.getAll("structure");
    if (structures.length) tests.push((row) => structures.every((name) => row.structures.includes(name)));
    if (most.value !== "") tests.push((row) => row.distance <= Number(most.value));
    const text = query.value.trim().replace(/\s+/g, " ");
    const lower = text.toLowerCase();
    if (text) {
      tests.push((row) => row.id.toLowerCase().includes(lower) || row.source.toLowerCase().includes(lower)
        || row.truth.includes(text) || (row.prediction || "").includes(text));
    }
    return tests;
  }

  function comparison() {
    const [name, direction] = order.value.split("-");
    if (name === "id") return (a, b) => collator.compare(a.id, b.id);
    const key = KEYS[name];
    const sign = direction === "up" ? 1 : -1;
    // What has no value comes last, whatever the direction; the order given decides between equals.
    return (a, b) => (key(a) === null) - (key(b) === null) || sign * (key(a) - key(b));
  }

  function tokens(text, marks) {
    const code = make("code", "tokens");
    const marked = new Set(marks);
    if (text) {
      text.split(" ").forEach((token, place) => {
        if (place) code.append(" ");
        code.append(marked.has(place) ? make("span", "differs", token) : token);
      });
    }
    return code;
  }

  function side(name, title, mathml, text, marks) {
    const cell = make("div", name, make("h4", "", title));
    if (text === null || text === "") {
      cell.append(make("p", "nothing", text === null ? "no prediction" : "empty"));
      return cell;
    }
    if (mathml) {
      const formula = make("div", "formula");
      formula.innerHTML = mathml; // written by our own printer, which escapes every token
      cell.append(formula);
    }
    cell.append(tokens(text, marks));
    return cell;
  }

  function picture(row) {
    const cell = make("div", "picture");
    if (!row.picture) return cell;
    const image = make("img", "");
    image.alt = `picture of ${row.id}`;
    image.addEventListener("load", () => image.classList.toggle("light-on-dark", isDark(image)));
    image.src = `data:image/png;base64,${row.picture}`;
    cell.append(image);
    return cell;
  }

  function isDark(image) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, 16, 16);
    context.drawImage(image, 0, 0, 16, 16);
    const values = context.getImageData(0, 0, 16, 16).data;
    let sum = 0;
    for (let at = 0; at < values.length; at += 4) sum += values[at] + values[at + 1] + values[at + 2];
    return sum < 16 * 16 * 3 * 128;
  }

  function facts(row) {
    const verdict = right(row) ? "right" : `${row.distance} ${row.distance === 1 ? "edit" : "edits"}`;
    const cell = make("div", "facts", make("h3", "", row.id), make("p", `verdict ${right(row) ? "right" : ""}`, verdict));
    if (row.malformed) cell.append(make("p", "verdict", "not well-formed"));
    const lines = [
      row.problem,
      row.confidence === null ? "" : `confidence ${row.confidence.toFixed(3)}`,
      `${row.length} ${row.length === 1 ? "token" : "tokens"}`,
      row.structures.join(", "),
      row.source,
    ];
    for (const line of lines) if (line) cell.append(make("p", "", line));
    return cell;
  }

  function item(row, place, total) {
    const article = make("article", "row", facts(row), picture(row),
      side("truth", "Truth", row.truthMath, row.truth, row.truthMarks),
      side("prediction", "Prediction", row.predictionMath ?? row.truthMath, row.prediction, row.predictionMarks));
    article.setAttribute("role", "listitem");
    article.setAttribute("aria-posinset", place + 1);
    article.setAttribute("aria-setsize", total);
    return article;
  }

  let selected = [];
  let heightPx = window.matchMedia("(max-width: 60rem)").matches ? 300 : 130; // of a row, until some are seen
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) fill(entry.target);
  }, { rootMargin: NEAR });

  function fill(chunk) {
    observer.unobserve(chunk);
    const first = Number(chunk.dataset.first);
    const part = selected.slice(first, first + CHUNK);
    chunk.append(...part.map((row, place) => item(row, first + place, selected.length)));
    chunk.style.minHeight = "";
  }

  function update() {
    const tests = filters();
    selected = rows.filter((row) => tests.every((test) => test(row))).sort(comparison());
    observer.disconnect();
    const chunks = [];
    for (let first = 0; first < selected.length; first += CHUNK) {
      const chunk = make("div", "chunk");
      chunk.setAttribute("role", "none");
      chunk.dataset.first = first;
      chunk.style.minHeight = `${heightPx * Math.min(CHUNK, selected.length - first)}px`;
      chunks.push(chunk);
    }
    list.replaceChildren(...chunks);
    if (chunks.length) {
      fill(chunks[0]);
      heightPx = chunks[0].offsetHeight / Math.min(CHUNK, selected.length);
    }
    for (const chunk of chunks.slice(1)) observer.observe(chunk);
    const total = rows.length.toLocaleString("en");
    count.textContent = selected.length === rows.length
      ? `${total} expressions`
      : `${selected.length.toLocaleString("en")} of ${total} expressions`;
  }

  fillControls();
  document.getElementById("controls").addEventListener("input", update);
  document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
  update();
})();
