// The kernel that answers. When it is restarted, its graph is gone: the views of it say so, and
// go on with the graph of the kernel after it as soon as that has a node (showing.py), or shows it.

const BORN = "dagnb-born"; // told to the window by every graph's model, whoever draws it

class Kernel {
  constructor(graph) {
    this.graph = graph;
    this.isGone = false;
    this.meet = ({ detail: model }) => { if (this.isGone && this.isHeir(model)) this.follow(model); };
    window.addEventListener(BORN, this.meet);
  }

  destroy() {
    window.removeEventListener(BORN, this.meet);
  }

  // Jupyter tells this to every widget of a kernel that is restarted.
  left() {
    const { graph } = this;
    this.isGone = true;
    graph.root.dataset.kernel = "gone";
    graph.notice("The kernel was restarted; this is the graph as it was before. It goes on here with the first node that is defined, or with %dag show.", true);
  }

  // Of a notebook's graphs the one that has buttons is its session's.
  isHeir(model) {
    const { model: old } = this.graph;
    return model.widget_manager === old.widget_manager && model.get("can_act") === old.get("can_act");
  }

  follow(model) {
    const { graph } = this;
    this.isGone = false;
    delete graph.root.dataset.kernel;
    graph.notice("");
    graph.adopt(model);
  }
}
