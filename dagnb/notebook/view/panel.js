// One node in detail.

const NARROW = 620, GAP = 8; // px, as in panel.css

class Panel {
  constructor(graph) {
    this.graph = graph;
    this.el = make("aside", { class: "dagnb-panel", hidden: true, tabindex: -1, "aria-label": "Node" });
    this.el.addEventListener("click", (event) => this.click(event.target.closest("button")));
    graph.body.append(this.el);
  }

  // How much of the window it takes, from the right or, where that is narrow, from below.
  covers() {
    if (!this.name) return [0, 0];
    const wide = this.graph.body.clientWidth > NARROW;
    return wide ? [this.el.offsetWidth + GAP, 0] : [0, this.el.offsetHeight + GAP];
  }

  // What it is open for, if it is.
  get node() {
    return this.graph.nodes.get(this.name);
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
    graph.body.classList.add("dagnb-opened");
    if (!node.el) { graph.model.send({ kind: "reveal", name: node.name }); return; }
    node.el.classList.add("picked");
    graph.stage.makeRoom(node);
  }

  close() {
    const node = this.graph.nodes.get(this.name);
    this.name = null;
    this.el.hidden = true;
    this.graph.body.classList.remove("dagnb-opened");
    delete this.el.dataset.for;
    node?.el?.classList.remove("picked");
    if (this.el.contains(document.activeElement) || document.activeElement === document.body) node?.el?.focus({ preventScroll: true });
    const { stage } = this.graph;
    if (stage.size) stage.makeRoom(null);
  }

  ask() {
    if (this.graph.kernel?.isGone) return;
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
    if (this.manual) {
      this.manual.dataset.action = facts.manual ? "automatic" : "manual";
      this.manual.textContent = facts.manual ? "Make automatic" : "Make manual";
    }
    this.fill(facts);
  }

  // What is the same stays as it is, with the reader's place in it and what is being pressed.
  fill(facts) {
    const near = [...(facts.inputs ?? []), ...(facts.dependents ?? [])].map((name) => this.graph.nodes.get(name)?.status);
    const shown = JSON.stringify([facts, near]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.rest.replaceChildren(...this.sections(facts));
  }

  build(node) {
    this.shown = null;
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
        can ? button("run_to", "Run to here") : null, can ? (this.manual = button("manual", "Make manual")) : null, button("copy", "Copy code")),
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
    const value = [
      facts.preview_html && drawn(facts.preview_html),
      facts.preview_image && make("img", { class: "dagnb-image", alt: facts.preview_text, src: facts.preview_image }),
      facts.preview_page && framed(facts.preview_page, this.graph.root),
    ].find(Boolean) || (facts.preview_text && make("pre", { tabindex: 0, role: "group", "aria-label": "Value" }, facts.preview_text));
    return [
      facts.evidence && section("Evidence", make("pre", { class: "dagnb-evidence" }, facts.evidence)),
      inputs.length ? section("Reads", chips(inputs)) : null,
      dependents.length ? section("Read by", chips(dependents)) : null,
      value && section("Value", value),
      facts.history?.length > 1 ? section("Took", history(facts.history)) : null,
      facts.source && section("Code", code(facts.source_html)),
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
    if (["run", "run_to", "manual", "automatic"].includes(action)) this.graph.model.send({ kind: "act", verb: action, name: this.name });
    if (action === "manual" || action === "automatic") this.ask();
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

function code(html) {
  const el = make("pre", { class: "dagnb-code", tabindex: 0, role: "group", "aria-label": "Code" });
  el.innerHTML = html;
  return el;
}

// What Python drew of a value; every string of the value's is escaped in it.
function drawn(html) {
  const el = make("div", { class: "dagnb-value", tabindex: 0, role: "group", "aria-label": "Value" });
  el.innerHTML = html;
  return el;
}

// What a value made of itself, in a frame of its own in which no script runs and nothing loads.
function framed(html, root) {
  const style = getComputedStyle(root);
  const page = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <style>html{color-scheme:${root.dataset.theme ?? "light"}}body{margin:0;font:12px/1.4 system-ui,sans-serif;color:${style.color}}
    table{border-collapse:collapse;font-size:12px}th,td{padding:3px 9px;text-align:right}img,svg{max-width:100%;height:auto}</style>${html}`;
  const frame = make("iframe", { class: "dagnb-framed", sandbox: "allow-same-origin", title: "Value", srcdoc: page });
  frame.addEventListener("load", () => { frame.style.height = `${clamp(frame.contentDocument.documentElement.scrollHeight, 24, 320)}px`; });
  return frame;
}

// Past durations as bars, the last one at the right, with a sentence for who does not see them.
function history(seconds) {
  const most = Math.max(...seconds, 1e-9);
  const bars = seconds.map((each, i) => {
    const height = Math.max((each / most) * 22, 1.5);
    return draw("rect", { x: i * 9, y: 24 - height, width: 7, height, rx: 1.5, class: i === seconds.length - 1 ? "dagnb-last" : null },
      draw("title", {}, duration(each)));
  });
  const words = `${seconds.length} run${seconds.length === 1 ? "" : "s"}: ${duration(Math.min(...seconds))} to ${duration(most)}, the last ${duration(seconds.at(-1))}`;
  return make("p", { class: "dagnb-past" },
    draw("svg", { width: seconds.length * 9, height: 24, role: "img", "aria-label": `Durations of ${words}` }, ...bars), make("span", {}, words));
}
