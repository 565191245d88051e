// Lessons on the graph itself: the order or the last run step by step, a prediction, k workers.
// What is said, and what is marked, is made in Python; here are the controls and the marks.

const LESSONS = {
  order: ["Order", "How a topological order is found, one decision at a time"],
  run: ["Last run", "What the last run looked at, and why it stopped"],
  predict: ["Predict", "Say which nodes will run next, and see how right you were"],
  workers: ["Workers", "How long the nodes would take on 1 to 8 workers"],
};
const BEAT = 1100; // milliseconds a step stays while the lesson plays

class Lesson {
  constructor(graph) {
    this.graph = graph;
    this.mode = "";
    this.asked = 0;
    this.tabs = Object.entries(LESSONS).map(([mode, [text, title]]) => make("button", { type: "button", "data-lesson": mode, "aria-pressed": "false", title, onclick: () => this.open(mode) }, text));
    this.controls = make("div", { class: "dagnb-deck" });
    this.said = make("p", { class: "dagnb-taught", role: "status" });
    this.rest = make("div", { class: "dagnb-rest" });
    const close = make("button", { type: "button", class: "dagnb-shut", "aria-label": "Close the lesson", title: "Close the lesson", onclick: () => this.close(true) }, "\u00d7");
    this.el = make("section", { class: "dagnb-lesson", hidden: true, "aria-label": "Lesson" },
      make("div", { class: "dagnb-deck", role: "group", "aria-label": "Lessons" }, ...this.tabs, close), this.controls, this.said, this.rest);
    graph.body.after(this.el);
  }

  toggle() {
    if (this.mode) this.close();
    else this.open("order");
  }

  // What the notebook asked for in words.
  follow() {
    const wanted = this.graph.model.get("lesson");
    if (wanted && wanted !== this.mode) this.open(wanted);
  }

  open(mode) {
    this.turn(mode);
    this.ask();
  }

  turn(mode) {
    this.stop();
    this.graph.plan.clear();
    this.mode = this.graph.root.dataset.lesson = mode;
    this.el.hidden = false;
    this.timeline?.destroy();
    this.timeline = null;
    this.rest.replaceChildren();
    this.controls.replaceChildren(...this.build(mode));
    this.controls.inert = true; // how many steps there are comes with the first answer
    delete this.graph.root.dataset.step;
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", tab.dataset.lesson === mode);
    this.graph.lessonButton.setAttribute("aria-pressed", "true");
  }

  close(focus = false) {
    if (!this.mode) return;
    this.stop();
    this.mode = "";
    this.el.hidden = true;
    delete this.graph.root.dataset.lesson;
    this.unmark();
    this.graph.stage.mark(null);
    this.graph.lessonButton.setAttribute("aria-pressed", "false");
    if (focus) this.graph.lessonButton.focus();
  }

  redrawn() {
    if (this.mode) this.ask();
  }

  finished() {
    if (this.mode === "run" || this.mode === "workers") this.ask();
  }

  // -------------------------------------------------------------- with Python

  ask(what = {}) {
    this.asked += 1;
    this.graph.model.send({ kind: "lesson", mode: this.mode, asked: this.asked, ...what });
  }

  // What was not asked for comes from a cell; of what was, only the last answer is of interest.
  show(facts) {
    if (facts.open && facts.mode !== this.mode) this.turn(facts.mode);
    if (facts.mode !== this.mode || (facts.asked && facts.asked !== this.asked)) return;
    if (!facts.marks) { this.stop(); this.say(facts.said ?? ""); return; }
    this.facts = facts;
    this.controls.inert = false;
    this.say([facts.news, facts.said].filter(Boolean).join("\n"));
    this.mark(facts);
    if (this.mode === "workers") this.chart(facts);
    else if (this.mode === "predict") this.tell(facts);
    else this.place(facts);
    this.graph.root.dataset.step = facts.number ?? facts.state ?? "";
  }

  say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  // -------------------------------------------------------------- controls

  build(mode) {
    const button = (text, title, onclick) => make("button", { type: "button", title, "aria-label": title, onclick }, text);
    if (mode === "predict") {
      return [button("Nothing will run", "Predict that nothing will run", () => this.ask({ expect: "nothing" })),
        button("Start over", "Forget this prediction", () => this.ask({ expect: "again" }))];
    }
    const [least, most, label] = mode === "workers" ? [1, 8, "Number of workers"] : [0, 1, "Step"];
    this.slider = make("input", { type: "range", min: least, max: most, value: least, "aria-label": label, oninput: () => this.go(Number(this.slider.value)) });
    this.where = make("span", { class: "dagnb-where" });
    if (mode === "workers") return [this.slider, this.where];
    this.player = button("Play", "Play the steps", () => this.play());
    return [button("Back", "Back one step", () => this.go(this.facts.number - 1)), this.player,
      button("Next", "On one step", () => this.go(this.facts.number + 1)), this.slider, this.where];
  }

  go(number) {
    this.stop();
    this.ask({ number });
  }

  play() {
    if (this.playing) { this.stop(); return; }
    this.playing = true;
    this.player.textContent = "Pause";
    this.ask({ number: this.facts.number < this.facts.last ? this.facts.number + 1 : 0 });
  }

  stop() {
    clearTimeout(this.beat);
    this.playing = false;
    if (this.player) this.player.textContent = "Play";
  }

  place({ number, last, title }) {
    fill(this.slider, { max: last, "aria-valuetext": `step ${number} of ${last}` }, []);
    this.slider.value = number;
    this.where.textContent = `${title}, step ${number} of ${last}`;
    this.table();
    if (!this.playing) return;
    if (number < last) this.beat = setTimeout(() => this.ask({ number: number + 1 }), BEAT);
    else this.stop();
  }

  // The same step as a table, which stays open or shut from step to step.
  table() {
    const { header, rows } = this.facts;
    const open = this.rest.querySelector("details")?.open;
    const row = (cells, tag) => make("tr", {}, ...cells.map((text) => make(tag, tag === "th" ? { scope: "col" } : {}, text)));
    this.rest.replaceChildren(...(rows.length ? [make("details", { open }, make("summary", {}, "This step as a table"),
      make("div", { class: "dagnb-scroll", tabindex: 0, role: "region", "aria-label": "This step as a table" },
        make("table", {}, make("thead", {}, row(header, "th")), make("tbody", {}, ...rows.map((cells) => row(cells, "td"))))))] : []));
  }

  // -------------------------------------------------------------- a prediction

  // A click or Enter on a node; whether it is taken as part of a prediction.
  enter(item) {
    if (this.mode !== "predict" || item.members) return false;
    this.ask({ toggle: item.name });
    return true;
  }

  tell({ lines }) {
    this.rest.replaceChildren(...(lines.length ? [make("ul", {}, ...lines.map((line) => make("li", {}, line)))] : []));
  }

  // -------------------------------------------------------------- workers

  chart({ number, most, lines, chart }) {
    fill(this.slider, { max: most, "aria-valuetext": `${number} workers` }, []);
    this.slider.value = number;
    this.where.textContent = number === 1 ? "1 worker" : `${number} workers`;
    this.timeline?.destroy();
    this.timeline = new Timeline(this.graph, chart, () => {});
    this.rest.replaceChildren(this.timeline.el, make("ul", {}, ...lines.map((line) => make("li", {}, line))));
    this.timeline.paint();
  }

  key(event) {
    return Boolean(this.timeline?.el.contains(event.target) && this.timeline.key(event));
  }

  // -------------------------------------------------------------- marks on the nodes

  mark({ marks, active, decided, lines, state }) {
    this.unmark();
    const { graph } = this;
    const names = new Set(active ?? []);
    const few = Object.keys(marks).length <= MANY; // of many nodes only those wear a badge that the step is about
    for (const item of graph.items) {
      const found = (item.members ?? [item]).filter(({ name }) => marks[name]);
      if (this.mode === "predict" && !item.members && state !== "revealed") item.el.setAttribute("aria-pressed", found.length > 0);
      if (!found.length) continue;
      const [look, word] = marks[found[0].name];
      const text = item.members ? `${found.length} marked` : word;
      const told = lines?.find((line) => line.includes(`: ${item.name} `));
      item.el.dataset.mark = item.members ? "marked" : word;
      item.el.setAttribute("aria-description", text);
      if (!few && !item.members && !names.has(item.name)) continue;
      const made = badge(item, text, told ?? text);
      made.dataset.status = look;
      made.prepend(halo(item, text));
      item.el.append(made);
    }
    const node = graph.nodes.get(decided);
    const framed = node?.el ? node : node?.fold;
    graph.stage.mark(framed ?? null);
    if (framed && graph.stage.size) graph.stage.show(framed);
  }

  unmark() {
    for (const each of this.graph.root.querySelectorAll(".dagnb-badge")) each.remove();
    for (const { el } of this.graph.items) {
      delete el.dataset.mark;
      for (const name of ["aria-description", "aria-pressed"]) el.removeAttribute(name);
    }
  }
}

// A rim around a node in the colour of its badge, inside of which it is drawn.
function halo({ w, h }, text) {
  return draw("rect", { class: "dagnb-halo", x: badgeWidth(text) - w - 6, y: 9, width: w, height: h, rx: 8 });
}
