// The live graph. Geometry, icons and words come from Python; this file draws them once per
// structure, and afterwards only changes attributes. LOOK is put before this file.

const FAR = 0.42; // below this zoom: no text, no icons, boxes filled with their status colour
const FLOOR = 0.72; // a small graph starts no smaller than this: pan instead
const SMALL = 150;
const MANY = 300;
const MANY_EDGES = 2500;
const TALLEST = 720;
const SVG = "http://www.w3.org/2000/svg";
const FRESH = new Set(["completed", "cached", "reused", "cutoff"]);
const WAITING = new Set(["pending", "stale"]);

export default {
  render({ model, el }) {
    const graph = new Graph(model, el);
    return () => graph.destroy();
  },
};

// ---------------------------------------------------------------- small tools

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function icon(status) {
  const image = draw("svg", { class: "dagnb-icon", "data-status": status, viewBox: "-7.5 -7.5 15 15", "aria-hidden": "true" });
  image.innerHTML = LOOK.icons[status];
  return image;
}

function duration(seconds) {
  if (seconds == null) return "";
  if (seconds < 0.0995) return `${Math.round(Math.max(seconds, 0) * 1000)}ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}`;
}

function flow(source, target) {
  if (target === "running") return "live";
  if (target === "skipped" || target === "cancelled") return "dead";
  return FRESH.has(source) && FRESH.has(target) ? "done" : "wait";
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// ---------------------------------------------------------------- the whole

class Graph {
  constructor(model, el) {
    this.model = model;
    this.nodes = new Map();
    this.seq = null;
    this.build();
    el.append(this.root);
    this.stage = new Stage(this);
    this.map = new Minimap(this);
    this.panel = new Panel(this);
    this.page = new Page(this);
    this.listeners = [
      ["change:graph", () => this.redraw()],
      ["change:state", () => this.restore(model.get("state"))],
      ["msg:custom", (message) => this.receive(message)],
    ];
    for (const [name, handler] of this.listeners) model.on(name, handler);
    this.clockwork = setInterval(() => this.tick(), 200);
    this.redraw();
  }

  destroy() {
    clearInterval(this.clockwork);
    clearTimeout(this.noticeTimer);
    for (const [name, handler] of this.listeners) this.model.off(name, handler);
    this.stage.destroy();
    this.page.destroy();
    this.root.remove();
  }

  build() {
    const button = (action, label, text) =>
      make("button", { type: "button", "data-action": action, "aria-label": label, title: label }, text);
    this.title = make("div", { class: "dagnb-title" });
    this.runLine = make("div", { class: "dagnb-run" });
    this.counts = make("ul", { class: "dagnb-counts", "aria-label": "Nodes by status" });
    this.tableButton = button("table", "Show as a table", "Table");
    this.head = make(
      "header", { class: "dagnb-head" }, this.title, this.runLine, this.counts,
      make("div", { class: "dagnb-tools", role: "toolbar", "aria-label": "View" },
        button("zoom-out", "Zoom out (-)", "\u2212"), button("zoom-in", "Zoom in (+)", "+"),
        button("fit", "Show all (0)", "Fit"), this.tableButton),
    );
    this.bar = make("div", { class: "dagnb-bar", role: "progressbar", "aria-label": "Up to date" });
    this.body = make("div", { class: "dagnb-body" });
    this.live = make("div", { class: "dagnb-live", role: "status", "aria-live": "polite" });
    this.noticeLine = make("div", { class: "dagnb-notice", role: "alert" });
    this.root = make("div", { class: "dagnb" }, this.head, this.bar, this.body, this.live, this.noticeLine);
    this.head.addEventListener("click", (event) => this.tool(event.target.closest("button")?.dataset.action));
  }

  tool(action) {
    if (action === "zoom-in") this.stage.zoom(1.3);
    if (action === "zoom-out") this.stage.zoom(1 / 1.3);
    if (action === "fit") this.stage.fit(true);
    if (action === "table") this.toggleTable();
  }

  // -------------------------------------------------------------- state

  redraw() {
    const graph = this.model.get("graph");
    if (!graph.nodes) return;
    const before = this.nodes;
    this.nodes = new Map();
    graph.nodes.forEach(([name, label, group, x, y, w, h]) =>
      this.nodes.set(name, { name, label, group, x, y, w, h, inputs: [], dependents: [], edges: [],
        status: before.get(name)?.status ?? "pending" }));
    const list = [...this.nodes.values()];
    this.edges = graph.edges.map(([a, b, d]) => ({ source: list[a], target: list[b], d }));
    for (const edge of this.edges) {
      edge.source.dependents.push(edge.target);
      edge.target.inputs.push(edge.source);
      edge.source.edges.push(edge);
      edge.target.edges.push(edge);
    }
    this.title.textContent = this.title.title = graph.title;
    this.body.dataset.empty = list.length ? "" : "No nodes yet. A cell that begins with %%dag_node makes one.";
    this.stage.draw(graph);
    this.restore(this.model.get("state"));
    this.panel.redrawn();
    this.root.dataset.ready = "true";
  }

  restore(state) {
    if (!state.nodes) return;
    this.seq = state.seq;
    this.apply(state);
  }

  receive(message) {
    if (message.kind === "delta") this.delta(message);
    if (message.kind === "state") this.restore(message);
    if (message.kind === "details") this.panel.details(message);
    if (message.kind === "notice") this.notice(message.text);
  }

  delta(message) {
    if (this.seq !== null && message.seq <= this.seq) return;
    if (this.seq !== null && message.seq > this.seq + 1) this.model.send({ kind: "sync" });
    this.seq = message.seq;
    this.apply(message);
  }

  apply({ nodes, counts, run, rev, clock }) {
    const now = performance.now();
    const began = [];
    for (const [name, facts] of Object.entries(nodes)) {
      const node = this.nodes.get(name);
      if (!node) continue;
      if (facts.status === "running" && node.status !== "running") began.push(node);
      if (facts.status === "failed" && node.status !== "failed" && this.root.dataset.rev) this.say(`${name} failed`);
      node.facts = facts;
      node.since = facts.started ? now - (clock - facts.started) * 1000 : now;
      this.stage.update(node);
    }
    this.run = run && { ...run, since: now - (clock - run.started) * 1000 };
    this.showCounts(counts);
    this.showRun();
    this.stage.follow(began);
    this.map.draw();
    this.panel.update(nodes);
    this.table?.update();
    this.root.dataset.rev = rev;
  }

  tick() {
    for (const node of this.nodes.values()) if (node.status === "running") this.stage.tick(node);
    if (this.run && this.run.seconds == null) this.showRun();
    this.panel.tick();
  }

  // -------------------------------------------------------------- head

  showCounts(counts) {
    const total = Object.values(counts).reduce((a, b) => a + b, 0);
    const entries = LOOK.statuses.filter((status) => counts[status]);
    keyed(this.counts, entries, (status) =>
      make("li", { "data-count": status, "data-status": status }, icon(status), make("b"), make("span", {}, LOOK.words[status])),
    (item, status) => { item.children[1].textContent = counts[status]; });
    keyed(this.bar, entries, (status) => make("i", { "data-status": status, "data-waiting": WAITING.has(status) }),
      (item, status) => { item.style.flexGrow = counts[status]; });
    const waiting = (counts.pending ?? 0) + (counts.stale ?? 0) + (counts.running ?? 0);
    fill(this.bar, { "aria-valuemin": 0, "aria-valuemax": total, "aria-valuenow": total - waiting,
      "aria-valuetext": entries.map((s) => `${counts[s]} ${LOOK.words[s]}`).join(", ") }, []);
  }

  showRun() {
    const run = this.run;
    let text = "";
    if (run && run.seconds == null) text = `${run.done} of ${run.total} \u00b7 ${duration((performance.now() - run.since) / 1000)}`;
    else if (run) text = run.stopped ? `stopped: ${run.stopped}` : duration(run.seconds);
    if (run && run.seconds != null && this.wasRunning) this.say(`Run finished: ${this.bar.getAttribute("aria-valuetext")}`);
    this.wasRunning = Boolean(run && run.seconds == null);
    if (this.runLine.textContent !== text) this.runLine.textContent = this.runLine.title = text;
  }

  say(text) {
    this.live.textContent = text;
  }

  notice(text) {
    this.noticeLine.textContent = text;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => { this.noticeLine.textContent = ""; }, 12000);
  }

  toggleTable() {
    if (this.table) this.table.root.remove();
    this.table = this.table ? null : new Table(this);
    this.tableButton.setAttribute("aria-pressed", Boolean(this.table));
    this.body.classList.toggle("dagnb-tabled", Boolean(this.table));
  }
}

// Keep one child per key, in order, made once and updated each time.
function keyed(parent, keys, create, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.status, child]));
  keys.forEach((key, i) => {
    const child = old.get(key) ?? create(key);
    old.delete(key);
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
    update(child, key);
  });
  for (const child of old.values()) child.remove();
}

// ---------------------------------------------------------------- the drawing

class Stage {
  constructor(graph) {
    this.graph = graph;
    this.x = this.y = 0;
    this.k = 1;
    this.touched = false; // whether the reader chose a place; if not, the view follows the run
    this.world = draw("g", { class: "dagnb-world" });
    this.svg = draw("svg", { class: "dagnb-stage", role: "application", "aria-roledescription": "graph" }, this.world);
    graph.body.append(this.svg);
    this.listen();
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(graph.body);
  }

  destroy() {
    this.sizes.disconnect();
    window.removeEventListener("keydown", this.keys, true);
    cancelAnimationFrame(this.frame);
  }

  draw({ nodes, groups, size, direction }) {
    [this.size, this.direction] = [size, direction];
    const focused = document.activeElement?.closest?.(".node")?.dataset.node;
    const { graph } = this;
    const boxes = groups.map(([name, title, x, y, w, h]) =>
      draw("g", { class: "group", "data-group": name, transform: `translate(${x},${y})` },
        draw("rect", { width: w, height: h, rx: 10 }), draw("text", { x: 11, y: 16.5 }, title)));
    for (const edge of graph.edges) edge.el = draw("path", { class: "edge", d: edge.d });
    for (const node of graph.nodes.values()) this.create(node);
    this.world.replaceChildren(
      draw("g", {}, ...boxes),
      draw("g", { class: "dagnb-edges" }, ...graph.edges.map((edge) => edge.el)),
      draw("g", {}, ...[...graph.nodes.values()].map((node) => node.el)),
    );
    graph.root.toggleAttribute("data-many", nodes.length > MANY);
    this.svg.setAttribute("aria-label",
      `${graph.title.textContent || "Graph"}, ${nodes.length} nodes. Arrow keys follow edges, Enter opens a node.`);
    this.walkFrom(graph.nodes.get(focused) ?? graph.nodes.values().next().value, Boolean(focused));
    this.resized();
  }

  create(node) {
    const { w, h } = node;
    const tip = this.direction === "LR" ? `M0,${h / 2}l-7,-3.5v7z` : `M${w / 2},0l-3.5,-7h7z`;
    node.icon = draw("g", { class: "icon", transform: `translate(16,${h / 2})` });
    node.secs = draw("text", { class: "secs", x: w - 10, y: h / 2 + 4 });
    node.el = draw("g", { class: "node", "data-node": node.name, role: "button", tabindex: -1,
      transform: `translate(${node.x},${node.y})` },
    node.inputs.length ? draw("path", { class: "tip", d: tip }) : null,
    draw("rect", { class: "box", width: w, height: h, rx: 8 }), node.icon,
    draw("text", { class: "name", x: 29, y: h / 2 + 4.5 }, node.label), node.secs);
    node.drawn = null;
  }

  update(node) {
    const { status } = node.facts;
    node.status = status;
    if (node.drawn !== status) {
      node.drawn = node.el.dataset.status = status;
      node.icon.innerHTML = LOOK.icons[status];
      for (const edge of node.edges) edge.el.dataset.flow = flow(edge.source.status, edge.target.status);
    }
    if (status === "running") this.tick(node);
    else node.secs.textContent = duration(node.facts.duration_seconds);
    const spoken = [node.name, LOOK.words[status], duration(node.facts.duration_seconds)];
    node.el.setAttribute("aria-label", spoken.filter(Boolean).join(", "));
  }

  // A node that took long last time shows how far it should be; others only that they run.
  tick(node) {
    const seconds = Math.max(0, (performance.now() - node.since) / 1000);
    const last = node.facts.duration_seconds;
    node.secs.textContent = seconds < 0.1 ? "" : duration(seconds);
    const ring = node.icon.querySelector(".ring");
    if (!ring || !(last > 0.5)) return;
    ring.classList.add("known");
    ring.setAttribute("stroke-dasharray", `${Math.min(96, (100 * seconds) / last).toFixed(1)} 100`);
  }

  // -------------------------------------------------------------- where we look

  resized() {
    const width = this.graph.body.clientWidth;
    if (!width || !this.size) return;
    const small = this.graph.nodes.size < SMALL;
    const scale = clamp(width / this.size[0], small ? FLOOR : 0.1, 1);
    if (!this.graph.body.style.height) {
      this.graph.body.style.setProperty("--dagnb-height", `${clamp(Math.ceil(this.size[1] * scale), 150, TALLEST)}px`);
    }
    if (!this.touched) this.fit(false);
    else this.place();
  }

  // The room that the panel leaves.
  room() {
    const covered = this.graph.panel?.width() ?? 0;
    return [Math.max(this.graph.body.clientWidth - covered, 120), this.graph.body.clientHeight];
  }

  fit(all) {
    const [width, height] = this.room();
    const [w, h] = this.size;
    const least = !all && this.graph.nodes.size < SMALL ? FLOOR : 0.02;
    const k = clamp(Math.min(width / w, height / h), least, 1);
    this.touched = false;
    const y = h * k > height ? 0 : (height - h * k) / 2;
    this.moveTo({ x: w * k > width ? 0 : (width - w * k) / 2, y, k }, all);
    if (!all && h * k > height) this.follow([...this.graph.nodes.values()].filter((node) => node.status === "running"));
  }

  zoom(factor, at) {
    const [width, height] = this.room();
    const [px, py] = at ?? [width / 2, height / 2];
    const k = clamp(this.k * factor, 0.03, 2.5);
    this.touched = true;
    this.moveTo({ k, x: px - ((px - this.x) * k) / this.k, y: py - ((py - this.y) * k) / this.k }, !at);
  }

  // Bring a node into view, moving as little as possible.
  show(node, x0 = this.x) {
    const [width, height] = this.room();
    const { k } = this;
    const rim = 10;
    const edge = (at, low, high, room) => (low < rim ? at + rim - low : high > room - rim ? at - (high - room + rim) : at);
    const left = node.x * k + x0, top = node.y * k + this.y;
    const x = edge(x0, left, left + node.w * k, width);
    const y = edge(this.y, top, top + node.h * k, height);
    if (x !== this.x || y !== this.y) this.moveTo({ x, y, k }, true);
  }

  // Where the drawing stands in the middle of the room, if the reader has not moved it.
  aside() {
    const [width] = this.room();
    const w = this.size[0] * this.k;
    return !this.touched && w <= width ? (width - w) / 2 : this.x;
  }

  follow(began) {
    if (!this.touched && began.length) this.show(began[began.length - 1]);
  }

  moveTo(goal, smoothly) {
    cancelAnimationFrame(this.frame);
    const from = { x: this.x, y: this.y, k: this.k };
    const start = performance.now();
    const step = (now) => {
      const t = smoothly && !calm() ? clamp((now - start) / 220, 0, 1) : 1;
      const ease = 1 - (1 - t) ** 3;
      for (const key of ["x", "y", "k"]) this[key] = from[key] + (goal[key] - from[key]) * ease;
      this.place();
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    step(start);
  }

  place() {
    const { x, y, k } = this;
    this.world.setAttribute("transform", `translate(${x.toFixed(2)},${y.toFixed(2)}) scale(${k.toFixed(4)})`);
    const { root, edges } = this.graph;
    const lod = k < FAR ? "far" : "near";
    if (root.dataset.lod !== lod) root.dataset.lod = lod;
    root.toggleAttribute("data-bare", k < FAR && edges?.length > MANY_EDGES);
    if (this.graph.nodes.size > MANY) this.cull();
    this.graph.map?.draw();
  }

  // Of a large graph only what is in sight is drawn: panning stays smooth.
  cull() {
    const { x, y, k, graph } = this;
    const margin = 80 / k;
    const left = -x / k - margin, top = -y / k - margin;
    const right = left + graph.body.clientWidth / k + 2 * margin, bottom = top + graph.body.clientHeight / k + 2 * margin;
    const set = (item, away) => {
      if (item.away === away) return;
      item.away = away;
      item.el.classList.toggle("dagnb-away", away);
    };
    for (const node of graph.nodes.values()) set(node, node.x > right || node.x + node.w < left || node.y > bottom || node.y + node.h < top);
    for (const edge of graph.edges) {
      const { source: a, target: b } = edge;
      set(edge, Math.min(a.x, b.x) > right || Math.max(a.x + a.w, b.x + b.w) < left || Math.min(a.y, b.y) > bottom || Math.max(a.y + a.h, b.y + b.h) < top);
    }
  }

  // -------------------------------------------------------------- hands

  listen() {
    const { svg, graph } = this;
    const nodeOf = (event) => graph.nodes.get(event.target.closest?.(".node")?.dataset.node);
    svg.addEventListener("pointerdown", (event) => this.grab(event));
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("click", (event) => {
      if (this.dragged) return;
      const node = nodeOf(event);
      if (node) { this.walkFrom(node); graph.panel.open(node); }
    });
    svg.addEventListener("dblclick", (event) => { if (!nodeOf(event)) this.zoom(1.6, this.at(event)); });
    svg.addEventListener("pointerover", (event) => this.hover(nodeOf(event)));
    svg.addEventListener("pointerleave", () => this.hover(null));
    svg.addEventListener("focusin", (event) => { const node = nodeOf(event); if (node && event.target.matches(":focus-visible")) this.hover(node); });
    svg.addEventListener("focusout", () => this.hover(null));
    // JupyterLab listens at the document, where arrows move between cells and dd deletes one.
    this.keys = (event) => { if (graph.root.contains(event.target)) this.key(event); };
    window.addEventListener("keydown", this.keys, true);
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  grab(event) {
    if (event.button !== 0) return;
    const from = { x: event.clientX - this.x, y: event.clientY - this.y };
    const [x0, y0] = [event.clientX, event.clientY];
    this.dragged = false;
    const move = (e) => {
      if (!this.dragged && Math.hypot(e.clientX - x0, e.clientY - y0) < 4) return;
      if (!this.dragged) this.svg.setPointerCapture(event.pointerId);
      this.dragged = this.touched = true;
      this.svg.classList.add("dagnb-grabbed");
      this.moveTo({ x: e.clientX - from.x, y: e.clientY - from.y, k: this.k });
    };
    const stop = () => {
      this.svg.classList.remove("dagnb-grabbed");
      for (const [name, handler] of [["pointermove", move], ["pointerup", stop], ["pointercancel", stop]]) this.svg.removeEventListener(name, handler);
    };
    for (const [name, handler] of [["pointermove", move], ["pointerup", stop], ["pointercancel", stop]]) this.svg.addEventListener(name, handler);
  }

  // The page scrolls as ever; with Ctrl, Cmd or a pinch the graph zooms.
  wheel(event) {
    if (!(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const step = event.deltaMode ? event.deltaY * 30 : event.deltaY;
    this.zoom(Math.exp(-clamp(step, -120, 120) * 0.004), this.at(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    if (event.key !== "Escape" && !event.target.closest(".dagnb-stage")) return;
    const act = {
      "+": () => this.zoom(1.3), "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3), 0: () => this.fit(true),
      Escape: () => this.graph.panel.close(),
      Enter: () => this.graph.panel.open(this.current), " ": () => this.graph.panel.open(this.current),
      ArrowUp: () => this.walk(0, -1), ArrowDown: () => this.walk(0, 1),
      ArrowLeft: () => this.walk(-1, 0), ArrowRight: () => this.walk(1, 0),
      Home: () => this.walkFrom([...this.graph.nodes.values()][0], true),
      End: () => this.walkFrom([...this.graph.nodes.values()].at(-1), true),
    }[event.key];
    if (!act || !this.current) return;
    event.preventDefault();
    act();
  }

  // Along the edges in their direction, to the nearest neighbour in the row across it.
  walk(dx, dy) {
    const from = this.current;
    const along = this.direction === "LR" ? dx : dy;
    const pool = along > 0 ? from.dependents : along < 0 ? from.inputs : this.beside(from, dx, dy);
    const far = (node) => Math.hypot(node.x + node.w / 2 - from.x - from.w / 2, (node.y - from.y));
    const next = [...pool].sort((a, b) => far(a) - far(b))[0];
    if (next) this.walkFrom(next, true);
  }

  beside(from, dx, dy) {
    return [...this.graph.nodes.values()].filter((node) =>
      dx ? Math.abs(node.y - from.y) < 8 && (node.x - from.x) * dx > 0
        : Math.abs(node.x + node.w / 2 - from.x - from.w / 2) < 60 && (node.y - from.y) * dy > 0);
  }

  walkFrom(node, focus) {
    this.current?.el.setAttribute("tabindex", -1);
    this.current = node;
    node?.el.setAttribute("tabindex", 0);
    if (!node || !focus) return;
    node.el.classList.remove("dagnb-away"); // what is not drawn cannot be focused
    node.away = false;
    node.el.focus({ preventScroll: true });
    this.show(node);
    if (this.graph.panel.name) this.graph.panel.open(node);
  }

  // -------------------------------------------------------------- what a node depends on

  hover(node) {
    clearTimeout(this.hoverTimer);
    this.hoverTimer = setTimeout(() => this.light(node), node ? 110 : 60);
  }

  light(node) {
    if (this.lit === node) return;
    this.lit = node;
    const near = node ? lineage(node) : new Set();
    this.svg.classList.toggle("dagnb-lit", Boolean(node));
    for (const each of this.svg.querySelectorAll(".near")) each.classList.remove("near");
    for (const each of near) each.el.classList.add("near");
    for (const edge of this.graph.edges) {
      if (near.has(edge.source) && near.has(edge.target) && near.between(edge)) edge.el.classList.add("near");
    }
    if (node && !node.tooltip) { node.tooltip = draw("title"); node.el.prepend(node.tooltip); }
    if (node) node.tooltip.textContent = [node.name, node.facts?.reason, node.facts?.error].filter(Boolean).join("\n");
  }
}

// A node with all that it comes from and all that comes from it.
function lineage(node) {
  const reach = (next) => {
    const seen = new Set([node]);
    for (const each of seen) for (const other of each[next]) seen.add(other);
    return seen;
  };
  const above = reach("inputs"), below = reach("dependents");
  const all = new Set([...above, ...below]);
  all.between = ({ source, target }) => (above.has(source) && above.has(target)) || (below.has(source) && below.has(target));
  return all;
}

// ---------------------------------------------------------------- the minimap

class Minimap {
  constructor(graph) {
    this.graph = graph;
    this.canvas = make("canvas", { class: "dagnb-map", "aria-hidden": "true" });
    graph.body.append(this.canvas);
    const go = (event) => { if (event.buttons) this.go(event); };
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); go(event); });
    this.canvas.addEventListener("pointermove", go);
  }

  draw() {
    this.due ??= requestAnimationFrame(() => { this.due = null; this.paint(); });
  }

  paint() {
    const { stage, nodes, root } = this.graph;
    if (!stage.size) return;
    const [w, h] = stage.size;
    const [width, height] = stage.room();
    const hidden = w * stage.k <= width + 1 && h * stage.k <= height + 1;
    this.canvas.hidden = hidden && stage.x > -1 && stage.y > -1;
    if (this.canvas.hidden) return;
    const s = (this.scale = Math.min(168 / w, 112 / h));
    const ratio = devicePixelRatio || 1;
    fill(this.canvas, { width: Math.ceil(w * s * ratio), height: Math.ceil(h * s * ratio), style: `width:${w * s}px;height:${h * s}px` }, []);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio * s, 0, 0, ratio * s, 0, 0);
    const tones = LOOK.tones[root.dataset.theme] ?? LOOK.tones.light;
    for (const node of nodes.values()) {
      pen.globalAlpha = WAITING.has(node.status) ? 0.35 : 0.9;
      pen.fillStyle = tones[node.status];
      pen.fillRect(node.x, node.y, node.w, Math.max(node.h, 1.6 / s));
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5 / s;
    pen.strokeStyle = tones.running;
    const [x0, x1] = [-stage.x, width - stage.x].map((x) => clamp(x / stage.k, 1 / s, w - 1 / s));
    const [y0, y1] = [-stage.y, height - stage.y].map((y) => clamp(y / stage.k, 1 / s, h - 1 / s));
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }

  go(event) {
    const { stage } = this.graph;
    const box = this.canvas.getBoundingClientRect();
    const [width, height] = stage.room();
    const x = (event.clientX - box.left) / this.scale, y = (event.clientY - box.top) / this.scale;
    stage.touched = true;
    stage.moveTo({ k: stage.k, x: width / 2 - x * stage.k, y: height / 2 - y * stage.k });
  }
}

// ---------------------------------------------------------------- one node in detail

class Panel {
  constructor(graph) {
    this.graph = graph;
    this.el = make("aside", { class: "dagnb-panel", hidden: true, tabindex: -1, "aria-label": "Node" });
    this.el.addEventListener("click", (event) => this.click(event.target.closest("button")));
    graph.body.append(this.el);
  }

  width() {
    const wide = this.graph.body.clientWidth > 620;
    return this.name && wide ? this.el.offsetWidth : 0;
  }

  open(node) {
    if (!node) return;
    const { graph } = this;
    if (this.name !== node.name) {
      graph.nodes.get(this.name)?.el.classList.remove("picked");
      this.name = this.el.dataset.for = node.name;
      this.facts = {};
      this.build(node);
      this.ask();
    }
    this.el.hidden = false;
    node.el.classList.add("picked");
    graph.stage.show(node, graph.stage.aside());
  }

  close() {
    const node = this.graph.nodes.get(this.name);
    this.name = null;
    this.el.hidden = true;
    delete this.el.dataset.for;
    node?.el.classList.remove("picked");
    if (this.el.contains(document.activeElement) || document.activeElement === document.body) node?.el.focus({ preventScroll: true });
    const { stage } = this.graph;
    if (stage.size) stage.moveTo({ x: stage.aside(), y: stage.y, k: stage.k }, true);
  }

  ask() {
    this.graph.model.send({ kind: "details", name: this.name });
    this.asked = performance.now();
  }

  redrawn() {
    if (!this.name) return;
    const node = this.graph.nodes.get(this.name);
    if (!node) this.close();
    else { node.el.classList.add("picked"); this.ask(); }
  }

  update(nodes) {
    if (!this.name || !(this.name in nodes)) return;
    const node = this.graph.nodes.get(this.name);
    if (node) this.state(node);
    if (node && node.status !== "running") this.ask();
  }

  tick() {
    const node = this.graph.nodes.get(this.name);
    if (node?.status === "running") this.state(node);
    const late = this.asked && performance.now() - this.asked > 600 && !this.facts.name;
    if (this.name && late && this.rest.childElementCount === 0) this.rest.replaceChildren(make("p", { class: "dagnb-muted" }, "The kernel is busy; code and value follow."));
  }

  details(facts) {
    if (facts.name !== this.name) return;
    this.facts = facts;
    this.asked = null;
    const node = this.graph.nodes.get(this.name);
    if (node) this.state(node);
    this.rest.replaceChildren(...this.sections(facts));
  }

  build(node) {
    const can = this.graph.model.get("can_act");
    const button = (action, text, first) => make("button", { type: "button", "data-action": action, class: first ? "dagnb-first" : null }, text);
    this.status = make("div", { class: "dagnb-status" });
    this.why = make("p", { class: "dagnb-why" });
    this.error = make("pre", { class: "dagnb-error" });
    this.rest = make("div", { class: "dagnb-rest" });
    this.el.replaceChildren(
      make("div", { class: "dagnb-name" }, make("h3", {}, node.name),
        make("button", { type: "button", "data-action": "close", "aria-label": "Close", title: "Close (Esc)" }, "\u00d7")),
      this.status, this.why, this.error,
      make("div", { class: "dagnb-acts" }, can ? button("run", "Run", true) : null,
        can ? button("run_to", "Run to here") : null, button("copy", "Copy code")),
      this.rest);
    this.el.setAttribute("aria-label", `Node ${node.name}`);
    this.el.scrollTop = 0;
    this.state(node);
  }

  state(node) {
    const facts = node.facts ?? { status: node.status };
    const running = node.status === "running";
    const seconds = running ? (performance.now() - node.since) / 1000 : facts.duration_seconds;
    const words = [LOOK.words[node.status], duration(seconds), facts.worker && `on ${facts.worker}`].filter(Boolean);
    this.status.dataset.status = node.status;
    this.status.replaceChildren(icon(node.status), words.join(" \u00b7 "));
    this.why.textContent = this.facts.why ?? facts.reason ?? "";
    this.error.textContent = facts.error ?? this.facts.error ?? "";
  }

  sections(facts) {
    const node = this.graph.nodes.get(this.name);
    const names = (given, near) => given ?? near.map((each) => each.name);
    const section = (title, ...content) => make("section", {}, make("h4", {}, title), ...content);
    const chips = (list) => make("div", { class: "dagnb-chips" }, ...list.map((name) => this.chip(name)));
    const inputs = names(facts.inputs, node?.inputs ?? []), dependents = names(facts.dependents, node?.dependents ?? []);
    const value = facts.preview_html ? shadowed(facts.preview_html, this.graph.root)
      : facts.preview_text ? make("pre", {}, facts.preview_text) : null;
    return [
      facts.evidence && section("Evidence", make("pre", {}, facts.evidence)),
      inputs.length ? section("Reads", chips(inputs)) : null,
      dependents.length ? section("Read by", chips(dependents)) : null,
      value && section("Value", value),
      facts.source && section("Code", make("pre", { class: "dagnb-code" }, ...highlight(facts.source))),
    ].filter(Boolean);
  }

  chip(name) {
    const node = this.graph.nodes.get(name);
    return make("button", { type: "button", "data-action": "go", "data-name": name, "data-status": node?.status ?? "pending", disabled: !node },
      icon(node?.status ?? "pending"), name);
  }

  click(button) {
    const action = button?.dataset.action;
    if (action === "close") this.close();
    if (action === "copy") this.copy(button);
    if (action === "go") this.go(button.dataset.name);
    if (action === "run" || action === "run_to") this.graph.model.send({ kind: "act", verb: action, name: this.name });
  }

  go(name) {
    const node = this.graph.nodes.get(name);
    this.graph.stage.walkFrom(node);
    this.open(node);
    this.el.focus({ preventScroll: true });
  }

  async copy(button) {
    let done = "Copied";
    try { await navigator.clipboard.writeText(this.facts.source ?? ""); } catch { done = "Not allowed by the browser"; }
    button.textContent = done;
    setTimeout(() => { button.textContent = "Copy code"; }, 1500);
  }
}

// A value's own HTML brings its own styles; a shadow root keeps them from the page.
function shadowed(html, root) {
  const host = make("div", { class: "dagnb-value" });
  host.attachShadow({ mode: "open" }).innerHTML = `<style>
    :host{font:12px/1.4 var(--jp-ui-font-family,system-ui,sans-serif);color:inherit}
    table{border-collapse:collapse;border:0;font-size:12px;font-variant-numeric:tabular-nums}
    th,td{padding:3px 9px;text-align:right;white-space:nowrap;border:0;border-bottom:1px solid #8883}
    th{font-weight:600}p{margin:6px 0 0;opacity:.7}
    img,svg{max-width:100%;height:auto}pre{white-space:pre-wrap;margin:0}</style>${html}`;
  return host;
}

const TOKENS = new RegExp([
  /(#[^\n]*)/, // 1 comment
  /([rbfuRBFU]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/, // 2 string
  /(\b(?:False|None|True|and|as|assert|async|await|break|case|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|match|nonlocal|not|or|pass|raise|return|try|while|with|yield)\b)/, // 3 keyword
  /(\b\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?j?\b)/, // 4 number
  /(^\s*%%?\w+|@[\w.]+)/, // 5 magic or decorator
  /(\b[A-Za-z_]\w*(?=\())/, // 6 call
].map((part) => part.source).join("|"), "gm");
const KINDS = ["", "comment", "string", "keyword", "number", "magic", "call"];

function highlight(source) {
  const parts = [];
  let last = 0;
  for (const match of source.matchAll(TOKENS)) {
    const kind = KINDS[match.findIndex((part, i) => i && part !== undefined)];
    parts.push(source.slice(last, match.index), make("span", { class: `dagnb-${kind}` }, match[0]));
    last = match.index + match[0].length;
  }
  return [...parts, source.slice(last)];
}

// ---------------------------------------------------------------- the same facts as a table

class Table {
  constructor(graph) {
    this.graph = graph;
    this.rows = make("tbody");
    const heads = ["Node", "Status", "Seconds", "Why"].map((text) => make("th", { scope: "col" }, text));
    this.root = make("div", { class: "dagnb-table", tabindex: 0 }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), this.rows));
    this.root.addEventListener("click", (event) => graph.panel.open(graph.nodes.get(event.target.closest("button")?.dataset.name)));
    graph.body.append(this.root);
    this.update();
  }

  update() {
    this.due ??= setTimeout(() => { this.due = null; this.paint(); }, this.rows.childElementCount ? 250 : 0);
  }

  paint() {
    this.rows.replaceChildren(...[...this.graph.nodes.values()].map((node) =>
      make("tr", { "data-status": node.status }, make("td", {}, make("button", { type: "button", "data-name": node.name }, node.name)),
        make("td", { class: "dagnb-state" }, icon(node.status), LOOK.words[node.status]), make("td", {}, duration(node.facts?.duration_seconds)),
        make("td", {}, node.facts?.error ?? node.facts?.reason ?? ""))));
  }
}

// ---------------------------------------------------------------- the page around us

// Whether the page is dark, and the still picture of the same graph that follows in the same
// output: it is for readers without a kernel, and hidden while the live view is there.
class Page {
  constructor(graph) {
    this.graph = graph;
    this.hidden = new Set();
    const look = () => { this.theme(); setTimeout(() => this.theme(), 300); };
    this.themes = new MutationObserver(look);
    const attributes = { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind"] };
    for (const el of [document.body, document.documentElement]) this.themes.observe(el, attributes);
    this.outputs = new MutationObserver(() => this.hideStills());
    this.attached = requestAnimationFrame(() => this.settle(20));
  }

  destroy() {
    cancelAnimationFrame(this.attached);
    this.themes.disconnect();
    this.outputs.disconnect();
    for (const el of this.hidden) el.style.display = "";
  }

  settle(tries) {
    if (!this.graph.root.isConnected && tries) this.attached = requestAnimationFrame(() => this.settle(tries - 1));
    else { this.theme(); this.hideStills(); }
  }

  theme() {
    let el = this.graph.root.parentElement;
    let ground;
    for (; el; el = el.parentElement) {
      ground = getComputedStyle(el).backgroundColor.match(/[\d.]+/g)?.map(Number);
      if (ground && (ground.length < 4 || ground[3] > 0.5)) break;
    }
    const [r, g, b] = el && ground ? ground : [255, 255, 255];
    const theme = 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
    if (this.graph.root.dataset.theme === theme) return;
    this.graph.root.dataset.theme = theme;
    this.graph.map.draw();
  }

  hideStills() {
    const own = this.graph.root.closest(".jp-OutputArea-child");
    if (!own) return;
    this.outputs.disconnect();
    this.outputs.observe(own.parentElement, { childList: true });
    for (let el = own.nextElementSibling; el; el = el.nextElementSibling) {
      this.outputs.observe(el, { childList: true, subtree: true });
      if (!el.querySelector('svg.dagnb-static, img[src^="data:image/svg+xml"][src*="dagnb-static"]')) continue;
      el.style.display = "none";
      this.hidden.add(el);
    }
  }
}
