// The drawing, and where of it we look.

class Stage {
  constructor(graph) {
    this.graph = graph;
    this.x = this.y = 0;
    this.k = 1;
    this.items = new Map(); // what is drawn, nodes and folded groups, by key
    this.touched = false; // whether the reader chose a place; if not, the view follows the run
    this.world = draw("g", { class: "dagnb-world" });
    this.svg = draw("svg", { class: "dagnb-stage", role: "application", "aria-roledescription": "graph" }, this.world);
    this.far = new Far(this);
    this.sheet = new Sheet(this, this.far.canvas, this.svg);
    this.hands = new Hands(this);
    this.motion = new Motion(this);
    this.sizes = new ResizeObserver(() => this.resized(this.graph.panel.node));
    this.sizes.observe(graph.body);
  }

  destroy() {
    this.sizes.disconnect();
    this.hands.destroy();
    cancelAnimationFrame(this.frame);
    this.motion.stop();
  }

  draw({ groups, size, direction }) {
    const before = this.motion.remember();
    [this.size, this.direction] = [size, direction];
    const focused = document.activeElement?.closest?.(".node, .fold")?.dataset.key;
    const { graph } = this;
    this.items = new Map(graph.items.map((item) => [item.key, item]));
    this.many = graph.items.length > MANY;
    const frames = groups.map(([, , x, y, width, height]) => draw("rect", { class: "frame", x, y, width, height, rx: 10 }));
    const titles = groups.map((group) => this.drawTitle(...group));
    for (const edge of graph.edges) edge.el = draw("path", { class: "edge", d: edge.d });
    for (const item of graph.items) this.create(item);
    this.tiles = new Tiles(graph.items);
    this.present = { items: new Set(), edges: new Set() }; // what is in the page in full
    this.edges = draw("g", { class: "dagnb-edges" });
    this.seen = draw("g");
    this.wings = draw("g", { class: "dagnb-wings" }, ...graph.items.map((item) => item.el));
    this.world.replaceChildren(draw("g", {}, ...frames), this.edges, draw("g", {}, ...titles), this.seen, this.wings);
    if (!this.many) this.reveal(graph.items, graph.edges);
    this.sheet.forget();
    graph.root.toggleAttribute("data-many", this.many);
    this.svg.setAttribute("aria-label",
      `${graph.title.textContent || "Graph"}, ${graph.nodes.size} nodes. Arrow keys follow edges, Enter opens a node or a group.`);
    this.walkFrom(this.items.get(focused) ?? this.heir(focused) ?? graph.items[0], Boolean(focused));
    this.resized();
    graph.map?.renew();
    this.relight();
    this.motion.play(before);
  }

  // What stands where something stood that is folded or opened now.
  heir(key) {
    const node = this.graph.nodes.get(key);
    if (node) return node.fold;
    return key && this.graph.items.find((item) => `\0${item.group}` === key);
  }

  drawTitle(name, title, x, y, w) {
    return draw("g", { class: "group", "data-group": name, transform: `translate(${x},${y})` },
      draw("g", { class: "handle" }, draw("title", {}, `Fold ${name}`), draw("rect", { class: "grip", width: Math.min(w, 200), height: 24, rx: 10 }),
        draw("path", { class: "chevron", d: "M11 10.5l3.5 3.5 3.5-3.5" }), draw("text", { x: 25, y: 16.5 }, title)));
  }

  // An element for each, for all to know its status; of a large graph it is empty until in sight.
  create(item) {
    if (item.members) drawFold(item, this.tip(item));
    else {
      item.el = draw("g", { class: "node", "data-key": item.name, "data-node": item.name, role: "button", tabindex: -1,
        transform: `translate(${item.x},${item.y})` });
    }
    item.away = true;
  }

  tip({ w, h, entered }) {
    const shape = this.direction === "LR" ? `M0,${h / 2}l-7,-3.5v7z` : `M${w / 2},0l-3.5,-7h7z`;
    return entered ? draw("path", { class: "tip", d: shape }) : null;
  }

  // What is in the element of a node.
  dress(node) {
    const { w, h } = node;
    node.icon = draw("g", { class: "icon", transform: `translate(16,${h / 2})` });
    node.secs = draw("text", { class: "secs", x: w - 10, y: h / 2 + 4 });
    const parts = [this.tip(node), draw("rect", { class: "box", width: w, height: h, rx: 8 }), node.icon,
      draw("text", { class: "name", x: 29, y: h / 2 + 4.5 }, node.label), node.secs];
    node.el.prepend(...parts.filter(Boolean));
    if (node.facts) this.tell(node);
  }

  // What is in the wings costs nothing, whatever is done to the page.
  reveal(items, edges) {
    for (const item of items) {
      if (!item.members && !item.icon) this.dress(item);
      item.away = false;
      this.present.items.add(item);
    }
    for (const edge of edges) this.present.edges.add(edge);
    this.seen.append(...items.map(({ el }) => el));
    this.edges.append(...edges.map(({ el }) => el));
  }

  conceal(items, edges) {
    for (const item of items) { item.away = true; this.present.items.delete(item); }
    for (const edge of edges) { edge.el.remove(); this.present.edges.delete(edge); }
    this.wings.append(...items.map(({ el }) => el));
  }

  // How the edges of something look follows from the statuses of their ends.
  updateEdges(item) {
    for (const edge of item.edges) edge.el.dataset.flow = flow(edge.source.status, edge.target.status);
  }

  update(node) {
    const { status } = node.facts;
    node.status = status;
    if (node.el.dataset.status !== status) {
      node.el.dataset.status = status;
      this.updateEdges(node);
      this.far.draw();
    }
    if (node.icon) this.tell(node);
  }

  // What is read on a node, and what is read out of it.
  tell(node) {
    const { status, facts } = node;
    const took = duration(facts.duration_seconds);
    if (node.drawn !== status) node.icon.innerHTML = LOOK.icons[(node.drawn = status)];
    if (status === "running") this.tick(node);
    else node.secs.textContent = took;
    node.el.setAttribute("aria-label", [node.name, LOOK.words[status], took].filter(Boolean).join(", "));
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

  resized(picked) {
    const width = this.graph.body.clientWidth;
    if (!width || !this.size) return;
    this.sheet.resize(width, this.graph.body.clientHeight);
    const small = this.items.size < SMALL;
    const scale = clamp(width / this.size[0], small ? FLOOR : 0.1, 1);
    if (!this.graph.body.style.height) {
      this.graph.body.style.setProperty("--dagnb-height", `${clamp(Math.ceil(this.size[1] * scale), 150, TALLEST)}px`);
    }
    if (picked?.el) this.makeRoom(picked);
    else if (!this.touched) this.fit(false);
    else this.place();
  }

  // The room that the panel leaves.
  room() {
    const [across, down] = this.graph.panel?.covers() ?? [0, 0];
    return [Math.max(this.graph.body.clientWidth - across, 120), Math.max(this.graph.body.clientHeight - down, 60)];
  }

  fit(all) {
    this.touched = false;
    this.whole = all;
    this.moveTo(this.fitted(), all);
    if (!all && this.size[1] * this.k > this.room()[1]) this.follow(this.graph.items.filter((item) => item.status === "running"));
  }

  // The place from which as much as possible is seen: everything, or what can still be read.
  fitted() {
    const [width, height] = this.room();
    const [w, h] = this.size;
    const least = !this.whole && this.items.size < SMALL ? FLOOR : 0.02;
    const k = clamp(Math.min(width / w, height / h), least, 1);
    return { k, x: w * k > width ? 0 : (width - w * k) / 2, y: h * k > height ? 0 : (height - h * k) / 2 };
  }

  zoom(factor, at) {
    const [width, height] = this.room();
    const [px, py] = at ?? [width / 2, height / 2];
    const k = clamp(this.k * factor, 0.03, 2.5);
    this.touched = true;
    this.moveTo({ k, x: px - ((px - this.x) * k) / this.k, y: py - ((py - this.y) * k) / this.k }, !at);
  }

  // Bring a node into view, moving as little as possible.
  show(node, from = this) {
    const [width, height] = this.room();
    const { k } = from;
    const rim = 10;
    const edge = (at, low, high, room) => (low < rim ? at + rim - low : high > room - rim ? at - (high - room + rim) : at);
    const left = node.x * k + from.x, top = node.y * k + from.y;
    const x = edge(from.x, left, left + node.w * k, width);
    const y = edge(from.y, top, top + node.h * k, height);
    if (x !== this.x || y !== this.y || k !== this.k) this.moveTo({ x, y, k }, true);
  }

  // Come near enough to read a node.
  approach(item) {
    const [width, height] = this.room();
    const k = Math.max(this.k, FLOOR);
    this.touched = true;
    this.moveTo({ k, x: width / 2 - (item.x + item.w / 2) * k, y: height / 2 - (item.y + item.h / 2) * k });
  }

  // The panel came or went: if the reader chose no place, the drawing goes where there is room.
  makeRoom(node) {
    const { x, y, k, size: [w, h] } = this;
    const goal = this.touched ? { x, y, k } : this.fitted();
    const [width, height] = this.room();
    if (goal.k === k && w * k > width) goal.x = x;
    if (goal.k === k && h * k > height) goal.y = y;
    if (node) this.show(node, goal);
    else this.moveTo(goal, true);
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
    const { k } = this;
    const { root, edges } = this.graph;
    const lod = k < FAR ? "far" : "near";
    if (root.dataset.lod !== lod) root.dataset.lod = lod;
    root.toggleAttribute("data-bare", k < FAR && edges?.length > MANY_EDGES);
    this.far.takeOver();
    this.sheet.look();
    this.graph.map?.draw();
  }

  // Draw what is on the sheet, as boxes or in full.
  drawOn(sheet) {
    if (this.far.on) { this.far.paint(); return; }
    const [x, y] = sheet.origin;
    this.world.setAttribute("transform", `translate(${x.toFixed(2)},${y.toFixed(2)}) scale(${sheet.at.k.toFixed(4)})`);
    if (this.many) this.cull(sheet.sight());
  }

  // Of a large graph only what is on the sheet is in the page in full. What has the keyboard stays.
  cull(sight) {
    const items = this.tiles.within(sight);
    if (this.current) items.add(this.current);
    const edges = new Set([...items].flatMap((item) => item.edges));
    const beside = (wanted, there) => [...wanted].filter((each) => !there.has(each));
    this.conceal(beside(this.present.items, items), beside(this.present.edges, edges));
    this.reveal(beside(items, this.present.items), beside(edges, this.present.edges));
  }

  walkFrom(item, focus) {
    this.current?.el.setAttribute("tabindex", -1);
    this.current = item;
    item?.el.setAttribute("tabindex", 0);
    if (!item || !focus) return;
    if (this.far.on) this.approach(item);
    if (item.away) this.reveal([item], []); // what is not drawn cannot be focused
    item.el.focus({ preventScroll: true });
    this.show(item);
    if (this.graph.panel.name && !item.members) this.graph.panel.open(item);
  }

  // -------------------------------------------------------------- what a node depends on

  // Let these stand out, and all others recede; none: as ever.
  choose(items) {
    this.chosen = items;
    this.svg.classList.toggle("dagnb-choosing", Boolean(items));
    for (const item of this.items.values()) item.el.classList.toggle("dagnb-chosen", Boolean(items?.has(item)));
    this.far.draw();
  }

  // Put a frame around one of them.
  mark(marked) {
    for (const item of this.items.values()) {
      item.marked = item === marked;
      item.el.classList.toggle("dagnb-marked", item.marked);
    }
    this.far.draw();
  }

  hover(node) {
    clearTimeout(this.hoverTimer);
    if (this.sheet.isHeld) return;
    this.hoverTimer = setTimeout(() => this.light(this.items.get(node?.key) ?? null), node ? 110 : 60);
  }

  // What stood out in the drawing before stands out in this one.
  relight() {
    const again = this.items.get(this.lit?.key) ?? null;
    this.lit = undefined;
    this.light(again);
  }

  light(node) {
    if (this.lit === node) return;
    this.lit = node;
    const near = node ? lineage(node) : new Set();
    this.near = node ? near : null;
    this.far.draw();
    this.graph.replay.light(node && new Set([...near].flatMap((item) => (item.members ?? [item]).map(({ name }) => name))));
    this.svg.classList.toggle("dagnb-lit", Boolean(node));
    for (const each of this.svg.querySelectorAll(".near")) each.classList.remove("near");
    for (const each of near) { each.el.classList.add("near"); each.el.classList.toggle("dagnb-below", near.below.has(each) && each !== node); }
    for (const edge of this.graph.edges) {
      if (near.has(edge.source) && near.has(edge.target) && near.between(edge)) edge.el.classList.add("near");
    }
    if (!node || node.members) return;
    if (!node.tooltip) { node.tooltip = draw("title"); node.el.prepend(node.tooltip); }
    node.tooltip.textContent = [node.name, node.facts?.reason, node.facts?.error, edited(near.below, node)].filter(Boolean).join("\n");
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
  all.below = below;
  return all;
}

// What an edit of a node would make stale.
function edited(below, node) {
  const names = [...below].filter((each) => each !== node).flatMap((each) => (each.members ?? [each]).map(({ name }) => name));
  if (!names.length) return "Nothing reads it.";
  const more = names.length > 6 ? ` and ${names.length - 6} more` : "";
  return `An edit makes ${names.length} more stale: ${names.slice(0, 6).join(", ")}${more}`;
}
