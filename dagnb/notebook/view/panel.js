// One node in detail.

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
      graph.nodes.get(this.name)?.el?.classList.remove("picked");
      this.name = this.el.dataset.for = node.name;
      this.facts = {};
      this.build(node);
      this.ask();
    }
    this.el.hidden = false;
    if (!node.el) { graph.model.send({ kind: "reveal", name: node.name }); return; }
    node.el.classList.add("picked");
    graph.stage.show(node, graph.stage.aside());
  }

  close() {
    const node = this.graph.nodes.get(this.name);
    this.name = null;
    this.el.hidden = true;
    delete this.el.dataset.for;
    node?.el?.classList.remove("picked");
    if (this.el.contains(document.activeElement) || document.activeElement === document.body) node?.el?.focus({ preventScroll: true });
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
    else { node.el?.classList.add("picked"); this.ask(); }
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
    if (node.el) this.graph.stage.walkFrom(node);
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
