// A page of its own: what a kernel would answer is in the page.

class Embedded {
  constructor(data) {
    this.data = data;
    this.handlers = {};
  }

  get(key) {
    return this.data[key];
  }

  on(name, handler) {
    (this.handlers[name] ??= new Set()).add(handler);
  }

  off(name, handler) {
    this.handlers[name]?.delete(handler);
  }

  // All groups are folded or all are open: what lies between was not laid out beforehand.
  look(folded) {
    this.data.graph = folded ? this.data.folded : this.data.opened;
    this.handlers["change:graph"]?.forEach((handler) => handler());
  }

  send({ kind, name, folded }) {
    if (kind === "fold" || kind === "reveal") this.look(Boolean(folded));
    const answer = { details: () => ({ name, ...this.data.details[name] }), recording: () => this.data.recording }[kind]?.();
    if (answer) queueMicrotask(() => this.handlers["msg:custom"]?.forEach((handler) => handler({ kind, ...answer })));
  }
}

const shown = new Graph(new Embedded(JSON.parse(document.getElementById("dagnb-data").textContent)), document.querySelector("main"));
const replay = shown.replay;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown.page.theme());
replay.open();

// Where nothing else listens, keys go to the replay.
window.addEventListener("keydown", (event) => {
  if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey || !replay.frames) return;
  const known = event.key === " " ? (replay.play(), true) : replay.step(event.key);
  if (known) event.preventDefault();
});
