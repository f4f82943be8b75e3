"use strict";
(() => {
  const STEP_MS = 700;
  const DOUBTFUL = 0.9; // probabilities below are marked

  const reading = JSON.parse(document.getElementById("reading").textContent);
  const last = reading.tokens.length - 1;
  const warmth = reading.warmth.map((text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
  const [stage, heat, play, slider, state, formula, list] = ["stage", "heat", "play", "step", "state", "formula", "tokens"]
    .map((id) => document.getElementById(id));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let timer = 0;

  // A cell of the canvas is a square of the picture; the browser makes the cells as large as those.
  function layOut() {
    const [rows, columns] = reading.grid;
    Object.assign(heat, { width: columns, height: rows });
    heat.style.width = `${(100 * columns * reading.stride) / reading.width}%`;
    heat.style.height = `${(100 * rows * reading.stride) / reading.height}%`;
    stage.style.setProperty("--width", `${reading.width * Math.min(4, Math.max(1, 900 / reading.width))}px`);
    slider.max = last;
    reading.tokens.forEach((token, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = token;
      button.title = `probability ${reading.probabilities[place].toFixed(3)}`;
      button.style.setProperty("--probability", reading.probabilities[place]);
      button.classList.toggle("doubtful", reading.probabilities[place] < DOUBTFUL);
      button.addEventListener("click", () => { stop(); show(place); });
      const item = document.createElement("li");
      item.append(button);
      list.append(item);
    });
  }

  function drawHeat(values) {
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--heat").trim().split(" ").map(Number);
    const context = heat.getContext("2d");
    const image = context.createImageData(heat.width, heat.height);
    values.forEach((value, place) => image.data.set([...colour, value * 0.85], 4 * place));
    context.putImageData(image, 0, 0);
  }

  function showFormula(place) {
    let shown = place;
    while (shown > 0 && !reading.formulas[shown]) shown -= 1; // what cannot be typeset yet
    formula.innerHTML = reading.formulas[shown]; // written by our own printer, which escapes every token
    const math = formula.firstElementChild;
    if (!math) return;
    math.classList.toggle("stale", shown !== place);
    const mark = math.querySelector(".differs");
    if (mark) {
      const [inner, outer] = [mark.getBoundingClientRect(), formula.getBoundingClientRect()];
      formula.scrollLeft += Math.max(0, inner.right - outer.right + 16);
    }
  }

  function show(place) {
    slider.value = place;
    drawHeat(warmth[place]);
    showFormula(place);
    state.textContent = `${place + 1} of ${last + 1}: ${reading.tokens[place]}, probability ${reading.probabilities[place].toFixed(3)}`;
    [...list.querySelectorAll("button")].forEach((button, number) => {
      button.classList.toggle("later", number > place);
      if (number === place) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
  }

  const current = () => Number(slider.value);
  const move = (distance) => { stop(); show(Math.min(last, Math.max(0, current() + distance))); };

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }

  function toggle() {
    if (timer) {
      stop();
      return;
    }
    if (current() === last) show(0);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      show(Math.min(last, current() + 1));
      if (current() === last) stop();
    }, STEP_MS);
  }

  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const actions = {
      ArrowLeft: () => move(-1),
      ArrowRight: () => move(1),
      Home: () => move(-last),
      End: () => move(last),
      " ": toggle,
    };
    // A button takes the space bar, and the slider its arrows, for itself.
    if (!(event.key in actions) || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    actions[event.key]();
  }

  layOut();
  play.addEventListener("click", toggle);
  document.getElementById("back").addEventListener("click", () => move(-1));
  document.getElementById("on").addEventListener("click", () => move(1));
  slider.addEventListener("input", () => { stop(); show(current()); });
  document.addEventListener("keydown", press);
  dark.addEventListener("change", () => show(current()));
  show(0);
})();
