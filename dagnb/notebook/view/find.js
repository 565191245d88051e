// Looking for nodes: a box for their names, a way from hit to hit, and what lies around one.

class Find {
  constructor(graph) {
    this.graph = graph;
    this.hits = [];
    this.box = make("input", { type: "search", class: "dagnb-find", placeholder: "Find  /", "aria-label": "Find nodes by name (/)",
      autocomplete: "off", spellcheck: "false", oninput: () => this.look() });
    this.line = make("span", { class: "dagnb-found" });
  }

  look() {
    const text = this.box.value.trim().toLowerCase();
    const { graph } = this;
    this.hits = text ? [...graph.nodes.values()].filter(({ name }) => name.toLowerCase().includes(text)).map(({ name }) => name) : [];
    this.at = -1;
    graph.stage.light(null);
    graph.stage.choose(text ? this.drawn() : null);
    this.tell(text);
  }

  // What is drawn of the hits: themselves, or the group that hides them.
  drawn() {
    const nodes = this.hits.map((name) => this.graph.nodes.get(name));
    return new Set(nodes.map((node) => (node?.el ? node : node?.fold)).filter(Boolean));
  }

  tell(text) {
    const { length } = this.hits;
    this.line.textContent = !text ? "" : !length ? "none" : this.at < 0 ? `${length}` : `${this.at + 1} of ${length}`;
    if (text) this.graph.say(this.at < 0 ? `${length} nodes found` : `${this.hits[this.at]}, ${this.at + 1} of ${length}`);
  }

  key(event) {
    if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") this.leave();
    else return;
    event.preventDefault();
  }

  step(by) {
    const { length } = this.hits;
    if (!length) return;
    this.at = this.at < 0 && by < 0 ? length - 1 : (this.at + by + length) % length;
    this.wanted = this.hits[this.at];
    const node = this.graph.nodes.get(this.wanted);
    if (node && !node.el) this.graph.model.send({ kind: "reveal", name: node.name });
    else this.arrive();
    this.tell(this.box.value);
  }

  arrive() {
    const node = this.graph.nodes.get(this.wanted);
    this.wanted = null;
    if (!node?.el) return;
    this.graph.stage.walkFrom(node);
    if (this.graph.stage.far.on) this.graph.stage.approach(node);
    this.graph.stage.show(node);
    this.graph.stage.mark(node);
  }

  // The drawing is another one: what was found is somewhere else.
  redrawn() {
    if (this.wanted) this.arrive();
    if (this.box.value) this.graph.stage.choose(this.drawn());
  }

  leave() {
    this.box.value = "";
    this.look();
    this.graph.stage.mark(null);
    const { current, far, svg } = this.graph.stage;
    if (far.on) svg.focus({ preventScroll: true });
    else current?.el.focus({ preventScroll: true });
  }
}
