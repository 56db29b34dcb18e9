"use strict";
(() => {
  const sound = document.getElementById("sound");
  const time = document.getElementById("time");
  const levels = [...document.querySelectorAll("section[data-level]")];
  const buttons = [...document.querySelectorAll(".scales button")];
  const SVG = "http://www.w3.org/2000/svg";
  let until = Infinity; // where to stop: the end of the turn that was clicked
  let shown = null; // the row that has the cursor

  const cursor = document.createElementNS(SVG, "line");
  cursor.setAttribute("class", "cursor");

  const level = () => levels.find((one) => !one.hidden);
  const number = (node, name) => Number(node.dataset[name]);
  const rowsOf = (section) => [...section.querySelectorAll(".row")];
  const left = (row) => number(row.ownerSVGElement, "left");

  function show(name) {
    for (const one of levels) one.hidden = one.dataset.level !== name;
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.value === name));
    shown = null;
    draw();
  }

  function draw() {
    const now = sound.currentTime;
    time.textContent = `${Math.floor(now / 60)}:${(now % 60).toFixed(1).padStart(4, "0")}`;
    document.body.classList.toggle("playing", !sound.paused);
    const rows = rowsOf(level());
    const row = rows.find((one) => now < number(one, "to")) || rows[rows.length - 1];
    if (!row) return;
    const x = left(row) + Math.max(0, Math.min(now, number(row, "to")) - number(row, "from")) * number(row, "scale");
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", 0], ["y2", number(row, "height")]]) {
      cursor.setAttribute(name, value);
    }
    if (row !== shown) {
      row.append(cursor);
      if (!sound.paused) row.scrollIntoView({ block: "nearest", behavior: "smooth" });
      shown = row;
    }
    for (const word of level().querySelectorAll(".said.now")) word.classList.remove("now");
    if (sound.paused) return;
    for (const word of row.querySelectorAll(".said[data-from]")) {
      word.classList.toggle("now", now >= number(word, "from") && now < number(word, "to"));
    }
  }

  function tick() {
    if (sound.currentTime >= until) {
      until = Infinity;
      sound.pause();
    }
    draw();
    if (!sound.paused) requestAnimationFrame(tick);
  }

  function play(from, to = Infinity) {
    if (!sound.hasAttribute("src")) return;
    sound.currentTime = from;
    until = to;
    sound.play();
  }

  function toggle() {
    until = Infinity;
    if (sound.paused) sound.play();
    else sound.pause();
  }

  for (const row of document.querySelectorAll(".row")) {
    const ground = document.createElementNS(SVG, "rect"); // so that clicks between the lanes count
    ground.setAttribute("class", "ground");
    ground.setAttribute("width", row.ownerSVGElement.viewBox.baseVal.width);
    ground.setAttribute("height", row.dataset.height);
    row.prepend(ground);
    row.addEventListener("click", (event) => {
      const turn = event.target.closest(".turn");
      if (turn) return play(number(turn, "from"), number(turn, "to") + 0.05);
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(row.getScreenCTM().inverse());
      const seconds = number(row, "from") + (at.x - left(row)) / number(row, "scale");
      play(Math.max(number(row, "from"), Math.min(seconds, number(row, "to") - 0.01)));
    });
  }

  for (const button of buttons) button.addEventListener("click", () => show(button.value));
  document.getElementById("play").addEventListener("click", toggle);
  sound.addEventListener("play", () => requestAnimationFrame(tick));
  sound.addEventListener("pause", draw);
  sound.addEventListener("seeked", draw);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("button") && (event.key === " " || event.key === "Enter")) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === " ") toggle();
    else if (event.key in steps) sound.currentTime = Math.max(0, sound.currentTime + steps[event.key]);
    else return;
    event.preventDefault();
  });
  draw();
})();
