// When the nodes of a run ran, and where: a lane for each worker.

const LANE = 24, AXIS = 20, MARKS = 18, GUTTER = 78;
const STROKE = '<rect class="dagnb-stroke" x="-1" y="-6" width="2" height="12" />';

class Timeline {
  constructor(graph, data, seek) {
    Object.assign(this, { graph, data, seek, bars: new Map() });
    this.critical = new Set(data.critical);
    this.svg = draw("svg", { class: "dagnb-gantt", role: "group", "aria-label": this.summary() });
    this.el = make("div", { class: "dagnb-lanes", tabindex: 0, role: "group", "aria-label": "Lanes of the timeline" }, this.svg);
    const barOf = (event) => event.target.closest?.("[data-bar]")?.dataset.bar;
    const nodeOf = (event) => graph.nodes.get(barOf(event));
    this.svg.addEventListener("pointerover", (event) => graph.stage.hover(nodeOf(event)));
    this.svg.addEventListener("pointerleave", () => graph.stage.hover(null));
    this.svg.addEventListener("click", (event) => this.pick(barOf(event)) || seek(this.timeAt(event)));
    this.svg.addEventListener("focusin", (event) => graph.stage.hover(nodeOf(event)));
    this.svg.addEventListener("focusout", () => graph.stage.hover(null));
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.el);
  }

  destroy() {
    this.sizes.disconnect();
  }

  summary() {
    const { lanes, seconds, critical, critical_seconds: longest } = this.data;
    const count = lanes.reduce((sum, { bars }) => sum + bars.length, 0);
    const path = critical.length ? ` Critical path: ${critical.join(", ")}; ${duration(longest)}.` : "";
    return `Timeline: ${count} node${count === 1 ? "" : "s"} ran in ${duration(seconds)} on ${lanes.length} worker${lanes.length === 1 ? "" : "s"}.${path}`;
  }

  // -------------------------------------------------------------- drawing

  paint() {
    const width = Math.max(this.el.clientWidth, 240);
    if (width === this.width) return;
    this.width = width;
    const { lanes, marks, seconds } = this.data;
    this.scale = (width - GUTTER - 14) / Math.max(seconds, 1e-6);
    const bottom = AXIS + lanes.length * LANE + (marks.length ? MARKS : 0);
    fill(this.svg, { width, height: bottom + 4, viewBox: `0 0 ${width} ${bottom + 4}` }, []);
    this.bars.clear();
    this.cursor = draw("line", { class: "dagnb-now", y1: AXIS - 5, y2: bottom });
    const focused = this.current ?? lanes[0]?.bars[0]?.[0];
    this.svg.replaceChildren(...this.axis(bottom), ...lanes.flatMap((lane, i) => this.lane(lane, AXIS + i * LANE, width)),
      ...(marks.length ? this.marks(marks, AXIS + lanes.length * LANE) : []), this.cursor);
    this.walkTo(focused, false);
    this.move(this.now ?? seconds);
  }

  x(seconds) {
    return GUTTER + seconds * this.scale;
  }

  axis(bottom) {
    const step = nice(this.data.seconds / Math.max(2, Math.floor(this.width / 130)));
    const ticks = [];
    for (let t = 0; t <= this.data.seconds + step / 100; t += step) ticks.push(t);
    return ticks.flatMap((t) => [
      draw("line", { class: "dagnb-tick", x1: this.x(t), x2: this.x(t), y1: AXIS - 4, y2: bottom }),
      draw("text", { class: "dagnb-when", ...(this.x(t) > this.width - 40 ? { x: this.x(t) - 3, "text-anchor": "end" } : { x: this.x(t) + 3 }), y: 11 }, t ? amount(t, step) : "0"),
    ]);
  }

  lane({ worker, bars }, y, width) {
    const label = draw("text", { class: "dagnb-worker", x: GUTTER - 8, y: y + 16 }, fitted(worker, GUTTER - 12));
    label.append(draw("title", {}, worker));
    return [draw("line", { class: "dagnb-rail", x1: 0, x2: width, y1: y, y2: y }), label,
      ...bars.map((bar) => this.bar(bar, y + 3, worker))];
  }

  bar([name, status, start, end], y, worker) {
    const x = this.x(start), w = Math.max((end - start) * this.scale, 2);
    const on = this.critical.has(name);
    const words = [name, LOOK.words[status], duration(end - start), `from ${duration(start)} to ${duration(end)}`, `on ${worker}`, on && "on the critical path"];
    const text = w > 34 ? fitted(name, w - 22) : "";
    const sign = draw("g", { transform: `translate(${x + 10},${y + 9}) scale(.8)` });
    if (w > 22) sign.innerHTML = LOOK.icons[status];
    const el = draw("g", { class: `dagnb-span${on ? " dagnb-critical" : ""}`, "data-bar": name, "data-status": status, role: "button", tabindex: -1,
      "aria-label": words.filter(Boolean).join(", ") },
    draw("title", {}, words.filter(Boolean).join("\n")),
    draw("rect", { class: "box", x, y, width: w, height: 18, rx: Math.min(4, w / 2) }),
    on ? draw("rect", { class: "dagnb-crit", x, y: y + 16, width: w, height: 3, rx: 1.5 }) : null,
    sign, text ? draw("text", { class: "name", x: x + 19, y: y + 13 }, text) : null);
    this.bars.set(name, [...(this.bars.get(name) ?? []), el]);
    return el;
  }

  // Icons as far as there is room for them, else strokes, and nothing on an icon.
  marks(marks, y) {
    let last = -Infinity;
    const signs = [...marks].sort((a, b) => a[2] - b[2]).map((mark) => {
      const apart = this.x(mark[2]) - last;
      if (apart >= 12) last = this.x(mark[2]);
      return this.mark(mark, y, apart >= 12 ? LOOK.icons[mark[1]] : apart > 6 ? STROKE : "");
    });
    return [draw("text", { class: "dagnb-worker", x: GUTTER - 8, y: y + 12 }, "did not run"), ...signs];
  }

  mark([name, status, at], y, drawn) {
    const sign = draw("g", { transform: `translate(${this.x(at)},${y + 9}) scale(.7)` });
    sign.innerHTML = drawn;
    const words = `${name}, ${LOOK.words[status]}, at ${duration(at)}`;
    const el = draw("g", { class: "dagnb-mark", "data-bar": name, "data-status": status, role: "button", tabindex: -1, "aria-label": words },
      draw("title", {}, words), sign);
    this.bars.set(name, [...(this.bars.get(name) ?? []), el]);
    return el;
  }

  // -------------------------------------------------------------- with the graph

  move(seconds) {
    this.now = seconds;
    if (!this.cursor) return;
    const x = this.x(Math.min(seconds, this.data.seconds)).toFixed(1);
    fill(this.cursor, { x1: x, x2: x }, []);
  }

  light(names) {
    this.svg.classList.toggle("dagnb-lit", Boolean(names));
    for (const [name, els] of this.bars) for (const el of els) el.classList.toggle("near", Boolean(names?.has(name)));
  }

  timeAt(event) {
    return clamp((event.clientX - this.svg.getBoundingClientRect().left - GUTTER) / this.scale, 0, this.data.seconds);
  }

  pick(name) {
    const node = this.graph.nodes.get(name);
    if (!node) return Boolean(name);
    this.walkTo(name, false);
    this.graph.stage.walkFrom(node);
    this.graph.panel.open(node);
    return true;
  }

  // One bar at a time can be reached with Tab; arrows go from bar to bar in the order of time.
  walkTo(name, focus) {
    const go = this.bars.get(name)?.[0];
    if (!go) return;
    for (const each of this.svg.querySelectorAll('[tabindex="0"]')) each.setAttribute("tabindex", -1);
    go.setAttribute("tabindex", 0);
    this.current = name;
    if (focus) go.focus({ preventScroll: false });
  }

  key(event) {
    const name = event.target.closest("[data-bar]")?.dataset.bar;
    if (!name) return false;
    const order = [...this.data.lanes.flatMap(({ bars }) => bars), ...this.data.marks].sort((a, b) => a[2] - b[2]).map(([each]) => each);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) this.walkTo(order[clamp(order.indexOf(name) + step, 0, order.length - 1)], true);
    else if (event.key === "Enter") this.pick(name);
    else return false;
    return true;
  }
}

// The next number of the form 1, 2 or 5 times a power of ten.
function nice(step) {
  const power = 10 ** Math.floor(Math.log10(Math.max(step, 1e-6)));
  return power * ([1, 2, 5].find((each) => each * power >= step) ?? 10);
}

function amount(t, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step < 1 ? step * (step < 0.1 ? 1000 : 1) : step)));
  if (step < 0.1) return `${(t * 1000).toFixed(Math.min(digits, 3))}ms`;
  return t < 60 ? `${t.toFixed(Math.min(digits, 2))}s` : duration(t);
}

function fitted(text, width) {
  const most = Math.floor(width / 6.6);
  const letters = [...text];
  return letters.length <= most ? text : most < 3 ? "" : `${letters.slice(0, most - 1).join("")}\u2026`;
}
