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

  paint() {
    this.rows.replaceChildren(...[...this.graph.nodes.values()].map((node) =>
      make("tr", { "data-status": node.status }, make("td", {}, make("button", { type: "button", "data-name": node.name }, node.name)),
        make("td", { class: "dagnb-state" }, icon(node.status), LOOK.words[node.status]), make("td", {}, duration(node.facts?.duration_seconds)),
        make("td", {}, node.facts?.error ?? node.facts?.reason ?? ""))));
  }
}
