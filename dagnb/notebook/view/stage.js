// The drawing: where we look, and hands on it.

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
    if (this.graph.replay.key(event)) { event.preventDefault(); return; }
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
    this.graph.replay.light(node && new Set([...near].map(({ name }) => name)));
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
