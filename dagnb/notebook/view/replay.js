// A run again, moment by moment, on the same graph. The picture at moment k is what the graph
// showed after k events: the facts before the run, and then what each event changed.

const SHORTEST = 3000, LONGEST = 15000, STEP = 150; // milliseconds of a whole replay, and per moment

class Replay {
  constructor(graph) {
    this.graph = graph;
    this.el = make("section", { class: "dagnb-replay", hidden: true, "aria-label": "Timeline of the last run" });
    graph.body.after(this.el);
    this.isOpen = false;
  }

  destroy() {
    this.stop();
    this.timeline?.destroy();
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.isOpen = true;
    this.graph.model.send({ kind: "recording" });
  }

  // What the notebook asked for in words.
  follow() {
    const wanted = Boolean(this.graph.model.get("timeline"));
    if (wanted && !this.isOpen) this.open();
  }

  close() {
    this.leave();
    this.isOpen = false;
    this.el.hidden = true;
    this.timeline?.destroy();
    this.timeline = this.frames = null;
    this.mark();
    delete this.graph.root.dataset.moment;
    this.graph.timelineButton.setAttribute("aria-pressed", this.isOpen);
  }

  // -------------------------------------------------------------- what was recorded

  show({ timeline, frames }) {
    if (!this.isOpen) return;
    this.leave();
    this.frames = frames;
    this.timeline?.destroy();
    this.timeline = new Timeline(this.graph, timeline, (seconds) => this.seek(this.after(seconds)));
    this.build(timeline);
    this.el.hidden = false;
    this.mark();
    this.tell();
    this.graph.timelineButton.setAttribute("aria-pressed", this.isOpen);
  }

  build({ critical, critical_seconds: longest, lanes }) {
    const count = this.frames.moments.length;
    this.button = make("button", { type: "button", class: "dagnb-play", onclick: () => this.play() });
    this.slider = make("input", { type: "range", min: 0, max: count, value: count, "aria-label": "Moment of the run", oninput: () => this.seek(Number(this.slider.value)) });
    this.line = make("output", { class: "dagnb-said" });
    const path = critical.length ? make("p", { class: "dagnb-path" }, make("span", { class: "dagnb-key" }),
      `critical path ${duration(longest)}: `, ...inShort(critical).flatMap((each, i) => [i ? " \u2192 " : "", typeof each === "number" ? `${each} more` : this.chip(each)])) : null;
    const none = lanes.length ? null : make("p", { class: "dagnb-path" }, count ? "No node had to run." : "Nothing has run yet.");
    this.el.replaceChildren(
      make("div", { class: "dagnb-deck" }, this.button, this.slider, this.line,
        this.graph.model.get("embedded") ? null : make("button", { type: "button", "aria-label": "Close the timeline", title: "Close the timeline", onclick: () => this.close() }, "\u00d7")),
      this.timeline.el, ...[path, none].filter(Boolean));
    this.buttonSays();
    this.timeline.paint();
  }

  chip(name) {
    return make("button", { type: "button", class: "dagnb-link", onclick: () => this.timeline.pick(name) }, name);
  }

  // The moments up to a time of the run.
  after(seconds) {
    const { moments } = this.frames;
    const next = moments.findIndex(({ at }) => at > seconds);
    return next < 0 ? moments.length : next;
  }

  // -------------------------------------------------------------- going there

  seek(moment) {
    this.stop();
    this.go(moment);
  }

  go(moment) {
    const { moments, before } = this.frames;
    const goal = clamp(moment, 0, moments.length);
    if (this.moment === undefined) this.enter();
    if (goal < this.moment || this.shown === undefined) [this.shown, this.moment] = [new Map(Object.entries(before)), 0];
    for (; this.moment < goal; this.moment++) {
      for (const [name, facts] of Object.entries(moments[this.moment].nodes)) this.shown.set(name, facts);
    }
    this.draw();
    this.tell();
  }

  enter() {
    this.graph.plan.clear();
    this.rev = this.graph.root.dataset.rev;
    this.drawn = new Map();
    this.graph.root.dataset.replay = "true";
  }

  draw() {
    const changed = {};
    const counts = {};
    for (const [name, facts] of this.shown) {
      if (facts) counts[facts.status] = (counts[facts.status] ?? 0) + 1;
      if (this.drawn.get(name) === facts) continue;
      this.drawn.set(name, facts);
      changed[name] = facts ?? { status: "pending" };
      this.graph.nodes.get(name)?.el?.classList.toggle("dagnb-unborn", !facts);
    }
    for (const edge of this.graph.edges) {
      const ends = [edge.source, edge.target].map(({ name }) => this.shown.get(name));
      edge.el.classList.toggle("dagnb-unborn", ends.includes(null));
    }
    this.graph.apply({ nodes: changed, counts, run: null, rev: this.rev, clock: this.seconds() });
  }

  // Back to the present. Only what is new there, never the replay, is shown as the present.
  leave() {
    this.stop();
    if (this.moment === undefined) return;
    const { graph } = this;
    this.moment = this.shown = this.drawn = undefined;
    delete graph.root.dataset.replay;
    for (const each of graph.root.querySelectorAll(".dagnb-unborn")) each.classList.remove("dagnb-unborn");
    graph.restore(graph.model.get("state"));
    graph.model.send({ kind: "sync" });
    if (this.frames) this.tell();
  }

  // Whether a picture of the present is the one that was there when the replay began.
  holds(rev) {
    return this.moment !== undefined && String(rev) === this.rev;
  }

  seconds() {
    return this.moment ? this.frames.moments[this.moment - 1].at : 0;
  }

  tell() {
    const { moments } = this.frames;
    const moment = this.moment ?? moments.length;
    const at = moment ? moments[moment - 1] : { at: 0, said: "before the run" };
    this.slider.value = moment;
    this.slider.setAttribute("aria-valuetext", `${moment} of ${moments.length}, ${duration(at.at) || "0s"}: ${at.said}`);
    this.line.textContent = `${moment} of ${moments.length} \u00b7 ${duration(at.at)} \u00b7 ${at.said}`;
    this.line.title = at.said;
    this.timeline.move(at.at);
    this.graph.root.dataset.moment = moment;
  }

  // -------------------------------------------------------------- playing

  play() {
    if (this.playing) { this.stop(); return; }
    const { moments } = this.frames;
    if (!moments.length) return;
    const first = this.moment === undefined || this.moment >= moments.length ? 0 : this.moment;
    const times = this.times();
    const began = performance.now() - times[first];
    this.go(first);
    const step = (now) => {
      let goal = this.moment;
      while (goal < moments.length && times[goal + 1] <= now - began) goal++;
      if (goal !== this.moment) this.go(goal);
      if (goal < moments.length) this.playing = requestAnimationFrame(step);
      else this.stop();
    };
    this.playing = requestAnimationFrame(step);
    this.buttonSays();
  }

  // When each moment is shown: as long after the one before as it was, in proportion, but
  // never so soon that it could not be seen.
  times() {
    const { moments } = this.frames;
    const whole = clamp(moments.length * STEP, SHORTEST, LONGEST);
    const end = moments.at(-1).at || 1;
    const least = whole / (3 * moments.length);
    const times = [0];
    moments.forEach(({ at }, i) => times.push(times[i] + Math.max(least, ((at - (moments[i - 1]?.at ?? 0)) / end) * whole * 0.67)));
    return times;
  }

  stop() {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    this.buttonSays();
  }

  buttonSays() {
    if (!this.button) return;
    const text = this.playing ? "Pause" : "Play";
    fill(this.button, { "aria-label": `${text} the run (Space)`, title: `${text} the run (Space)` }, []);
    this.button.replaceChildren(draw("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" },
      draw("path", { fill: "currentColor", d: this.playing ? "M2.5 1.5h2.6v9H2.5zM6.9 1.5h2.6v9H6.9z" : "M3 1.2v9.6L10.6 6z" })));
  }

  key(event) {
    if (!this.frames || !this.el.contains(event.target) || event.target.matches("button")) return false;
    if (this.timeline.key(event)) return true;
    if (event.key === " ") { this.play(); return true; }
    return event.target !== this.slider && this.step(event.key);
  }

  step(key) {
    const moment = this.moment ?? this.frames.moments.length;
    const goal = { ArrowRight: moment + 1, ArrowLeft: moment - 1, Home: 0, End: this.frames.moments.length }[key];
    if (goal !== undefined) this.seek(goal);
    return goal !== undefined;
  }

  // -------------------------------------------------------------- the critical path, on the graph

  mark() {
    if (this.graph.edges) this.graph.markPath(this.timeline ? this.timeline.critical : new Set());
  }

  light(names) {
    this.timeline?.light(names);
  }
}

// A long path by both its ends, and how many lie between.
function inShort(names) {
  return names.length <= 14 ? names : [...names.slice(0, 6), names.length - 12, ...names.slice(-6)];
}
