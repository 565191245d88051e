// The same facts as a table.

class Table {
  constructor(graph) {
    this.graph = graph;
    this.rows = make("tbody");
    const heads = ["Node", "Status", "Seconds", "Why"].map((text) => make("th", { scope: "col" }, text));
    this.root = make("div", { class: "dagnb-table", tabindex: 0 }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), this.rows));
    this.root.addEventListener("click", (event) => {
      const node = graph.nodes.get(event.target.closest("button")?.dataset.name);
      if (node && !graph.lesson.enter(node)) graph.panel.open(node);
    });
    graph.body.append(this.root);
    this.update();
  }

  update() {
    this.due ??= setTimeout(() => { this.due = null; this.paint(); }, this.rows.childElementCount ? 250 : 0);
  }

  // A row stays as long as its node: neither a press on it nor the focus is lost in a run.
  paint() {
    const before = this.rowOf;
    const nodes = [...this.graph.nodes.values()];
    this.rowOf = new Map(nodes.map(({ name }) => [name, before?.get(name) ?? this.row(name)]));
    const rows = [...this.rowOf.values()];
    if (rows.length !== before?.size || rows.some((row, i) => row !== this.rows.children[i])) this.rows.replaceChildren(...rows);
    nodes.forEach((node, i) => this.tell(rows[i], node));
  }

  row(name) {
    return make("tr", {}, make("td", {}, make("button", { type: "button", "data-name": name, title: name }, name)),
      make("td", { class: "dagnb-state" }), make("td"), make("td"));
  }

  tell(row, { status, facts }) {
    if (row.told === facts && row.dataset.status === status) return;
    const [, state, seconds, why] = row.children;
    row.told = facts;
    row.dataset.status = status;
    state.replaceChildren(icon(status), LOOK.words[status]);
    seconds.textContent = duration(facts?.duration_seconds);
    why.textContent = facts?.error ?? facts?.reason ?? "";
  }
}
